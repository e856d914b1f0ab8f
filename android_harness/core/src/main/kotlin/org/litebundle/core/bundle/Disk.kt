package org.litebundle.core.bundle

import org.litebundle.core.files.flush
import org.litebundle.core.files.rename
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.io.InputStream
import java.nio.file.Files

/** What [Slots] does to files, each a step at which a process can die. All throw [IOException]. */
internal interface Disk {
    /** Write all of [source] as the whole content of [to]. */
    fun write(source: InputStream, to: File)

    /** Wait until the content of a file, or the names in a folder, would outlast a power cut. */
    fun sync(file: File)

    /** Give [from] the name [to], in one step; what was there is gone. */
    fun move(from: File, to: File)

    fun delete(file: File)

    companion object {
        val System: Disk = SystemDisk
    }
}

private object SystemDisk : Disk {
    override fun write(source: InputStream, to: File) = FileOutputStream(to).use { file ->
        val piece = ByteArray(1 shl 16)
        var written = 0L
        while (true) {
            val count = source.read(piece)
            if (count < 0) break
            written += count
            if (written > Int.MAX_VALUE) throw BundleException("it is larger than ${Int.MAX_VALUE} bytes")
            file.write(piece, 0, count)
        }
    }

    override fun sync(file: File) = flush(file)

    override fun move(from: File, to: File) = rename(from, to)

    override fun delete(file: File) {
        Files.deleteIfExists(file.toPath())
    }
}
