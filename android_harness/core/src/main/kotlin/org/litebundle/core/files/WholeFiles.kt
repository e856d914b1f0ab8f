package org.litebundle.core.files

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.OutputStream
import java.nio.file.Files

/**
 * Files that become visible together: all are written under temporary names and flushed to the disk before the first is
 * renamed, and the last is renamed last. Where the last one is, all are there and whole.
 */
class WholeFiles(private val files: List<Pair<String, (OutputStream) -> Unit>>) {
    /**
     * Write into [folder], which is made if need be.
     *
     * Throws [IOException], and then leaves nothing of these files: what was there before stays if they could not be
     * written, and is gone with them if they could not be renamed.
     */
    fun write(folder: File) {
        Files.createDirectories(folder.toPath())
        val named = files.map { (name, write) -> Named(File(folder, "$name.part"), File(folder, name), write) }
        try {
            named.forEach(::writePart)
            putInPlace(named, folder)
        } finally {
            named.forEach { it.part.delete() }
        }
    }

    private class Named(val part: File, val target: File, val write: (OutputStream) -> Unit)

    private fun writePart(named: Named) = naming(named.part) {
        FileOutputStream(named.part).use { file ->
            val buffered = file.buffered()
            named.write(buffered)
            buffered.flush()
            file.fd.sync()
        }
    }

    private fun putInPlace(named: List<Named>, folder: File) {
        var done = false
        try {
            named.last().target.delete()
            for (each in named) rename(each.part, each.target)
            flush(folder)
            done = true
        } finally {
            if (!done) named.asReversed().forEach { it.target.delete() }
        }
    }
}
