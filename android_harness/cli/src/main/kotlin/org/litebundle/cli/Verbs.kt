package org.litebundle.cli

import com.google.gson.stream.JsonWriter
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.golden.GoldenCheck
import org.litebundle.core.json.Json
import org.litebundle.core.png.Png
import org.litebundle.core.png.PngException
import org.litebundle.core.recording.PhotoRecording
import org.litebundle.core.run.Runner
import org.litebundle.core.value.Image
import org.litebundle.engine.tflite.TfliteEngine
import java.io.File
import java.io.IOException
import java.io.PrintStream
import java.io.StringWriter
import java.nio.ByteBuffer

private const val RECORDED_FRAMES = 300

/** More than a PNG of [Png.MAX_PIXELS] takes. */
private const val MAX_PHOTO_BYTES = 1 shl 27

internal fun run(arguments: List<String>, out: PrintStream): Int {
    val (bundleFile, photoFile) = Arguments(arguments).positional("BUNDLE", "PHOTO.png")
    val photo = readPhoto(File(photoFile))
    Bundle.open(File(bundleFile)).use { bundle ->
        TfliteEngine().use { engine ->
            Runner(bundle, engine).use { out.println(written(it.run(photo).toJson())) }
        }
    }
    return HELD
}

internal fun verify(arguments: List<String>, out: PrintStream): Int {
    val (bundleFile) = Arguments(arguments).positional("BUNDLE")
    val checks = Bundle.open(File(bundleFile)).use { bundle ->
        TfliteEngine().use { engine -> Runner(bundle, engine).use { GoldenCheck(bundle, it).run() } }
    }
    for (check in checks) out.println(if (check.passed) "${check.name}: holds" else "${check.name}: ${check.fault}")
    return if (checks.all { it.passed }) HELD else FELL_SHORT
}

internal fun makeRecording(arguments: List<String>, out: PrintStream): Int {
    val (bundleFile, folder) = Arguments(arguments).positional("BUNDLE", "OUT")
    Bundle.open(File(bundleFile)).use { bundle ->
        val photos = bundle.manifest.golden.pipeline.vectors.map { Png.decode(bundle.file(it.photo)) }
        PhotoRecording.write(photos, RECORDED_FRAMES, File(folder))
    }
    out.println(folder)
    return HELD
}

private fun readPhoto(file: File): Image = try {
    Png.decode(content(file, MAX_PHOTO_BYTES))
} catch (error: PngException) {
    throw PngException("$file: ${error.message}")
}

/** All of [file]. Throws [IOException] if it is larger than [maxBytes], as what never ends is. */
internal fun content(file: File, maxBytes: Int): ByteBuffer {
    val bytes = file.inputStream().use { it.readNBytes(maxBytes + 1) }
    if (bytes.size > maxBytes) throw IOException("$file: it is larger than $maxBytes bytes")
    return ByteBuffer.wrap(bytes)
}

private fun written(json: Json): String {
    val text = StringWriter()
    JsonWriter(text).apply { setIndent("  ") }.write(json)
    return text.toString()
}

private fun JsonWriter.write(json: Json) {
    when (json) {
        is Json.Object -> {
            beginObject()
            for ((key, value) in json.members) {
                name(key)
                write(value)
            }
            endObject()
        }

        is Json.Array -> {
            beginArray()
            json.items.forEach { write(it) }
            endArray()
        }

        is Json.Text -> value(json.value)

        is Json.Number -> jsonValue(json.text)

        is Json.Bool -> value(json.value)

        Json.Null -> nullValue()
    }
}
