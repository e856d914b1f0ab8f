package org.litebundle.cli

import org.litebundle.core.bundle.BundleException
import org.litebundle.core.engine.EngineException
import org.litebundle.core.glue.GlueException
import org.litebundle.core.graph.RunException
import org.litebundle.core.json.JsonException
import org.litebundle.core.png.PngException
import org.litebundle.core.recording.RecordingException
import java.io.IOException
import java.io.PrintStream
import java.nio.file.AccessDeniedException
import java.nio.file.FileAlreadyExistsException
import java.nio.file.FileSystemException
import java.nio.file.NoSuchFileException
import kotlin.system.exitProcess

internal const val HELD = 0
internal const val FELL_SHORT = 1
private const val BAD_INPUT = 2
private const val FAULT = 3

private const val USAGE = """litebundle-harness: runs bundles on this machine (docs/harness.md)

  run BUNDLE PHOTO.png                               print the results as JSON
  verify BUNDLE                                      check every byte, then run the golden vectors
  replay BUNDLE RECORDING --out DIR --costs COSTS.json
                                                     replay on the virtual clock and write a report
  replay BUNDLE RECORDING --out DIR --real           replay at the pace of the wall clock
  make-recording BUNDLE OUT                          make a recording of the bundle's golden photos
"""

fun main(arguments: Array<String>) {
    exitProcess(harness(arguments.asList(), System.out, System.err))
}

/** Do what [arguments] ask: results on [out], errors on [err]. The exit code, as docs/cli.md defines them. */
fun harness(arguments: List<String>, out: PrintStream, err: PrintStream): Int = try {
    obey(arguments, out).also { if (out.checkError()) throw IOException("standard output does not take the results") }
} catch (error: Throwable) {
    err.println("error: ${words(error)}")
    if (isInput(error)) {
        BAD_INPUT
    } else {
        err.print(error.stackTraceToString())
        FAULT
    }
}

private fun obey(arguments: List<String>, out: PrintStream): Int {
    val rest = arguments.drop(1)
    return when (arguments.firstOrNull()) {
        "run" -> run(rest, out)
        "verify" -> verify(rest, out)
        "replay" -> replay(rest, out)
        "make-recording" -> makeRecording(rest, out)
        "--help" -> HELD.also { out.print(USAGE) }
        null -> throw UsageException("no verb is given; --help lists them")
        else -> throw UsageException("there is no verb '${arguments.first()}'; --help lists them")
    }
}

private fun isInput(error: Throwable) = when (error) {
    is UsageException, is BundleException, is RecordingException, is PngException, is JsonException, is IOException,
    is EngineException, is GlueException, is RunException,
    -> true

    else -> false
}

/** On one line: a message may hold what a file holds. */
private fun words(error: Throwable): String {
    val text = when (error) {
        is NoSuchFileException -> "${error.file}: there is no such file"
        is AccessDeniedException -> "${error.file}: access is denied"
        is FileAlreadyExistsException -> "${error.file}: a file is in the way"
        is FileSystemException -> "${error.file}: ${error.reason ?: error.javaClass.simpleName}"
        else -> error.message ?: error.toString()
    }
    return text.replace(Regex("\\p{Cntrl}+"), " ")
}
