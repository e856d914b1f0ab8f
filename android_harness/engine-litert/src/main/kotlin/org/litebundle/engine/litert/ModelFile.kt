package org.litebundle.engine.litert

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.files.WholeFiles
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.io.OutputStream
import java.nio.ByteBuffer
import java.nio.channels.Channels
import java.nio.channels.FileChannel
import java.nio.channels.WritableByteChannel

/**
 * [stage]'s model as a file in [folder], named by its digest. It is written once, and again if the file does not hold the
 * model any more: each byte is compared with [flatbuffer], whose digest the bundle checked.
 */
internal fun modelFile(folder: File, flatbuffer: ByteBuffer, stage: StageSpec): File {
    val target = File(folder, "${stage.sha256}.tflite")
    try {
        if (!target.holds(flatbuffer)) {
            val model = { out: OutputStream -> Channels.newChannel(out).writeAll(flatbuffer.duplicate()) }
            WholeFiles(listOf(target.name to model)).write(folder)
        }
    } catch (error: IOException) {
        throw EngineException("stage '${stage.name}': its model cannot be written to $target; make room there", error)
    }
    return target
}

private fun File.holds(model: ByteBuffer) = length() == model.remaining().toLong() &&
    FileInputStream(this).channel.use { it.map(FileChannel.MapMode.READ_ONLY, 0, it.size()) == model }

private fun WritableByteChannel.writeAll(content: ByteBuffer) {
    while (content.hasRemaining()) write(content)
}
