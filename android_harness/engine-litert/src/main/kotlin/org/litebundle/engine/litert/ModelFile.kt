package org.litebundle.engine.litert

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.EngineException
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.nio.ByteBuffer

/** [stage]'s model as a file in [folder], named by its digest, so that the same model is written once. */
internal fun modelFile(folder: File, flatbuffer: ByteBuffer, stage: StageSpec): File {
    val target = File(folder, "${stage.sha256}.tflite")
    try {
        if (target.length() != stage.sizeBytes) write(flatbuffer.duplicate(), target)
    } catch (error: IOException) {
        throw EngineException("stage '${stage.name}': its model cannot be written to $target; make room there", error)
    }
    return target
}

/** [target] is whole, or not there: it is written under another name first. */
private fun write(content: ByteBuffer, target: File) {
    target.parentFile.mkdirs()
    val part = File.createTempFile(target.name, ".part", target.parentFile)
    FileOutputStream(part).use { stream ->
        while (content.hasRemaining()) stream.channel.write(content)
        stream.channel.force(true)
    }
    if (!part.renameTo(target)) {
        part.delete()
        throw IOException("$part cannot be renamed to $target")
    }
}
