package org.litebundle.core.corrections

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.litebundle.core.report.Corrections
import java.io.File
import java.io.IOException
import java.nio.file.Files
import kotlin.concurrent.thread

class CorrectionLogTest {
    @TempDir
    lateinit var temporary: File
    private val file get() = File(temporary, "corrections.jsonl")

    @Test
    fun `a result counts once, however often it is shown or corrected`() {
        CorrectionLog(file, consent = true).use { log ->
            for (id in listOf("a", "b", "a", "c")) log.shown(id)
            log.corrected("b", "x²", "x^{2}")
            log.corrected("b", "x^{2}", "x^2")
            assertEquals(Corrections(3, 1), log.summary())
            assertEquals(1.0 / 3, log.summary()!!.share)
        }
    }

    @Test
    fun `no share is told where nothing was shown`() {
        CorrectionLog(file, consent = true).use { assertNull(it.summary()!!.share) }
    }

    @Test
    fun `counts survive a restart`() {
        CorrectionLog(file, consent = true).use {
            it.shown("a\n\"")
            it.corrected("a\n\"", "line\nbreak", "quote \"")
        }
        CorrectionLog(file, consent = true).use {
            it.shown("a\n\"")
            it.shown("b")
            assertEquals(Corrections(2, 1), it.summary())
        }
    }

    @Test
    fun `without consent nothing is written, and nothing stays`() {
        CorrectionLog(file, consent = true).use { it.shown("a") }
        CorrectionLog(file, consent = false).use {
            it.shown("b")
            it.corrected("b", "x", "y")
            assertNull(it.summary())
        }
        assertFalse(file.exists())
    }

    @Test
    fun `withdrawing consent deletes, and ends the writing`() {
        val log = CorrectionLog(file, consent = true)
        log.shown("a")
        log.withdraw()
        log.shown("b")
        log.corrected("b", "x", "y")
        assertNull(log.summary())
        assertFalse(file.exists())
    }

    @Test
    fun `what cannot be deleted is not passed off as deleted`() {
        val log = CorrectionLog(file, consent = true)
        file.delete()
        File(file, "in the way").mkdirs()
        assertThrows(IOException::class.java) { log.withdraw() }
        assertNull(log.summary())
        assertThrows(IOException::class.java) { CorrectionLog(file, consent = false) }
    }

    @Test
    fun `wherever the last line is torn off, the lines before it count and new ones follow`() {
        CorrectionLog(file, consent = true).use {
            it.shown("a")
            it.shown("bß")
            it.corrected("a", "x", "y")
        }
        val whole = file.readBytes()
        val ends = whole.indices.filter { whole[it] == '\n'.code.toByte() }.map { it + 1 }
        for (cut in 0..whole.size) {
            file.writeBytes(whole.copyOf(cut))
            val lines = ends.count { it <= cut }
            CorrectionLog(file, consent = true).use {
                assertEquals(Corrections(minOf(lines, 2).toLong(), maxOf(0, lines - 2).toLong()), it.summary())
                it.shown("z")
            }
            CorrectionLog(file, consent = true).use { assertEquals(minOf(lines, 2) + 1L, it.summary()!!.shown) }
        }
    }

    @Test
    fun `what a full disk does not take does not count`() {
        Files.createSymbolicLink(file.toPath(), File("/dev/full").toPath())
        val log = CorrectionLog(file, consent = true)
        assertThrows(IOException::class.java) { log.shown("a") }
        assertEquals(Corrections(0, 0), log.summary())
        log.withdraw()
    }

    @Test
    fun `threads may count at once`() {
        CorrectionLog(file, consent = true).use { log ->
            val threads = List(4) { of -> thread { repeat(500) { log.shown("$of/$it") } } }
            threads.forEach(Thread::join)
            assertEquals(Corrections(2000, 0), log.summary())
        }
        CorrectionLog(file, consent = true).use { assertEquals(Corrections(2000, 0), it.summary()) }
    }

    @Test
    fun `what was never shown cannot be corrected`() {
        CorrectionLog(file, consent = true).use {
            assertThrows(IllegalArgumentException::class.java) { it.corrected("a", "x", "y") }
        }
    }

    @Test
    fun `a strange file is refused and left as it is`() {
        for (strange in listOf("hello\n", "{}\n", "{\"corrected\":\"a\"}\n", "[\"shown\"]\n", "\n")) {
            file.writeText(strange)
            assertThrows(IOException::class.java) { CorrectionLog(file, consent = true) }
            assertEquals(strange, file.readText())
        }
    }
}
