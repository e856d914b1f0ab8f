package org.litebundle.engine.tflite.bench

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.png.Png
import org.litebundle.core.run.Runner
import org.litebundle.engine.tflite.TfliteEngine
import java.io.File
import java.nio.ByteBuffer

/** `FrameBench BUNDLE FOLDER`: prints `photo ns`, the least time of a frame, one thread, for each PNG in FOLDER/photos. */
fun main(arguments: Array<String>) {
    Bundle.open(File(arguments[0])).use { bundle ->
        val photos = File(arguments[1], "photos").listFiles { file -> file.extension == "png" }!!.sorted()
        Runner(bundle, TfliteEngine(threads = 1)).use { runner ->
            repeat(2) { for (photo in photos) leastNs(runner, photo) }
            for (photo in photos) println("${photo.name} ${leastNs(runner, photo)}")
        }
    }
}

private const val REPEATS = 8

private fun leastNs(runner: Runner, photo: File): Long {
    val image = Png.decode(ByteBuffer.wrap(photo.readBytes()))
    var least = Long.MAX_VALUE
    repeat(REPEATS) {
        val start = System.nanoTime()
        runner.run(image)
        least = minOf(least, System.nanoTime() - start)
    }
    return least
}
