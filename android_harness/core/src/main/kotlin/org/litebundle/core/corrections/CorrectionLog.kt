package org.litebundle.core.corrections

import com.google.gson.stream.JsonWriter
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.report.Corrections
import java.io.Closeable
import java.io.File
import java.io.IOException
import java.io.RandomAccessFile
import java.io.StringWriter
import java.nio.ByteBuffer
import java.nio.file.Files

/**
 * Which results the user was shown and which of them the user corrected: the share of corrected results is what a
 * service measures ONLINE.
 *
 * Nothing is written without consent, and withdrawing it deletes what was. The file has a JSON object a line,
 * `{"shown": id}` or `{"corrected": id, "before": …, "after": …}`, and only grows. Each line is one write, so a crash of
 * the app loses none; a line that a power cut tore off at the end is cut away when the log is opened again.
 *
 * Any number of threads. Opening throws [IOException] if the file cannot be read, written or deleted, or holds a whole line that
 * is none of a correction log. Writing throws it if the disk does not take the line, which then does not count.
 */
class CorrectionLog(private val file: File, consent: Boolean) : Closeable {
    private val shown = HashSet<String>()
    private val corrected = HashSet<String>()
    private var log: RandomAccessFile? = null

    init {
        if (consent) open() else Files.deleteIfExists(file.toPath())
    }

    /** A result is on the screen; [resultId] is the caller's, and counts once. */
    @Synchronized
    fun shown(resultId: String) {
        if (log == null || resultId in shown) return
        append { name("shown").value(resultId) }
        shown.add(resultId)
    }

    /**
     * The user changed a shown result from [before] to [after], as the caller writes them down. A result counts once,
     * however often it is corrected. Throws [IllegalArgumentException] if it was never shown.
     */
    @Synchronized
    fun corrected(resultId: String, before: String, after: String) {
        if (log == null) return
        require(resultId in shown) { "result '$resultId' was corrected before it was shown: call shown first" }
        append { name("corrected").value(resultId).name("before").value(before).name("after").value(after) }
        corrected.add(resultId)
    }

    /** Null without consent. */
    @Synchronized
    fun summary(): Corrections? = if (log == null) null else Corrections(shown.size.toLong(), corrected.size.toLong())

    /**
     * The user takes the consent back: all that was stored is deleted, and nothing more is written. Throws [IOException]
     * if the file cannot be deleted; it is then still there.
     */
    @Synchronized
    fun withdraw() {
        val log = log
        this.log = null
        shown.clear()
        corrected.clear()
        try {
            log?.close()
        } finally {
            Files.deleteIfExists(file.toPath())
        }
    }

    /** Flush to the disk. Afterwards the log is as one without consent; the file stays. */
    @Synchronized
    override fun close() {
        val log = log
        this.log = null
        log?.use { it.fd.sync() }
    }

    private fun open() {
        val log = RandomAccessFile(file, "rw")
        try {
            val bytes = ByteArray(log.length().toInt()).also(log::readFully)
            val wholeBytes = bytes.lastIndexOf(NEWLINE) + 1
            readLines(ByteBuffer.wrap(bytes, 0, wholeBytes))
            if (wholeBytes < bytes.size) log.setLength(wholeBytes.toLong())
            log.seek(wholeBytes.toLong())
        } catch (error: IOException) {
            log.close()
            throw error
        }
        this.log = log
    }

    private fun readLines(bytes: ByteBuffer) {
        val lines = Charsets.UTF_8.decode(bytes).split('\n').dropLast(1)
        for ((number, line) in lines.withIndex()) {
            val entry = try {
                (Json.parse(line) as? Json.Object)?.members
            } catch (_: JsonException) {
                null
            }
            val shownId = (entry?.get("shown") as? Json.Text)?.value
            val correctedId = (entry?.get("corrected") as? Json.Text)?.value
            when {
                shownId != null -> shown.add(shownId)
                correctedId != null && correctedId in shown -> corrected.add(correctedId)
                else -> throw IOException("$file: line ${number + 1} is no line of a correction log: delete the file")
            }
        }
    }

    private fun append(members: JsonWriter.() -> Unit) {
        val line = StringWriter()
        JsonWriter(line).apply {
            beginObject()
            members()
            endObject()
        }
        val log = checkNotNull(log)
        val end = log.filePointer
        try {
            log.write(line.append('\n').toString().toByteArray())
        } catch (error: IOException) {
            cut(log, end)
            throw error
        }
    }

    /** Take back what came of a line on a full disk, so that the next one does not follow half of it. */
    private fun cut(log: RandomAccessFile, end: Long) {
        log.seek(end)
        if (log.length() > end) log.setLength(end)
    }

    private companion object {
        const val NEWLINE = '\n'.code.toByte()
    }
}
