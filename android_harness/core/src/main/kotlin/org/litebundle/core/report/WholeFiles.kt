package org.litebundle.core.report

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.OutputStream
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.nio.file.StandardOpenOption

/**
 * Files that become visible together: all are written under temporary names and flushed to the disk before the first is
 * renamed, and the last is renamed last. Where the last one is, all are there and whole.
 */
class WholeFiles(private val files: List<Pair<String, (OutputStream) -> Unit>>) {
    /** Write into [folder], which is made if need be. Throws [IOException], and then leaves nothing of these files. */
    fun write(folder: File) {
        Files.createDirectories(folder.toPath())
        try {
            files.forEach { (name, write) -> writePart(part(folder, name), write) }
            File(folder, files.last().first).delete()
            for ((name, _) in files) {
                val target = File(folder, name).toPath()
                Files.move(part(folder, name).toPath(), target, StandardCopyOption.ATOMIC_MOVE)
            }
            FileChannel.open(folder.toPath(), StandardOpenOption.READ).use { it.force(true) }
        } finally {
            files.forEach { (name, _) -> part(folder, name).delete() }
        }
    }

    private fun part(folder: File, name: String) = File(folder, "$name.part")

    private fun writePart(part: File, write: (OutputStream) -> Unit) = FileOutputStream(part).use { file ->
        val buffered = file.buffered()
        write(buffered)
        buffered.flush()
        file.fd.sync()
    }
}
