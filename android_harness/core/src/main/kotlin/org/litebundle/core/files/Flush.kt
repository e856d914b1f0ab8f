package org.litebundle.core.files

import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.nio.file.StandardOpenOption

/** Wait until the content of a file, or the names in a folder, would outlast a power cut. Throws [IOException]. */
internal fun flush(file: File) {
    if (file.isDirectory) flushNames(file) else FileOutputStream(file, true).use { it.fd.sync() }
}

/** Some file systems cannot open a folder; they order names by themselves. */
private fun flushNames(folder: File) {
    val channel = try {
        FileChannel.open(folder.toPath(), StandardOpenOption.READ)
    } catch (_: IOException) {
        return
    }
    channel.use { it.force(true) }
}

/** Give [from] the name [to], in one step; what was there is gone. Throws [IOException]. */
internal fun rename(from: File, to: File) {
    Files.move(from.toPath(), to.toPath(), StandardCopyOption.ATOMIC_MOVE)
}
