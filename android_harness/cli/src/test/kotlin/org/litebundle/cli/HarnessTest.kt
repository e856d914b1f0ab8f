package org.litebundle.cli

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.ValueSource
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.json.Json
import org.litebundle.core.report.RunFiles
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.PrintStream
import java.nio.ByteBuffer

class HarnessTest {
    @TempDir
    lateinit var temporary: File
    private val root = File(System.getProperty("litebundle.root"))
    private val bundle = File(root, "dist/formula_scan-0.1.0.litebundle").path

    private class Ended(val code: Int, val out: String, val err: String)

    private fun harness(vararg arguments: String): Ended {
        val (out, err) = List(2) { ByteArrayOutputStream() }
        val code = harness(arguments.asList(), PrintStream(out), PrintStream(err))
        return Ended(code, out.toString(), err.toString())
    }

    private fun content(buffer: ByteBuffer) = ByteArray(buffer.remaining()).also { buffer.get(it) }

    private fun temporary(name: String, text: String) = File(temporary, name).apply { writeText(text) }.path

    @Test
    fun `run prints the items that the golden vector has`() {
        Bundle.open(File(bundle)).use { opened ->
            val vector = opened.manifest.golden.pipeline.vectors.first()
            val photo = File(temporary, "photo.png").apply { writeBytes(content(opened.file(vector.photo))) }
            val ended = harness("run", bundle, photo.path)
            assertEquals(0, ended.code, ended.err)
            assertEquals(texts(Json.parse(opened.file(vector.items))), texts(Json.parse(ended.out)))
        }
    }

    private fun texts(items: Json) = (items as Json.Array).items.map { (it as Json.Object).members.getValue("text") }

    @Test
    fun `verify holds, and says so of every vector`() {
        val ended = harness("verify", bundle)
        assertEquals(0, ended.code, ended.out)
        assertEquals(10, ended.out.lines().count { it.endsWith(": holds") }, ended.out)
    }

    /** What it writes stays in target/replay, for tests that read the trace with its protobuf schema. */
    @Test
    fun `three hundred recorded frames give the same four files twice`() {
        val replays = File(root, "android_harness/cli/target/replay")
        replays.deleteRecursively()
        val recording = File(temporary, "recording").path
        assertEquals(0, harness("make-recording", bundle, recording).code)
        val costs = temporary("costs.json", COSTS)
        val folders = listOf("once", "again").map { File(replays, "$it/example") }
        val both = folders.parallelStream().map { folder ->
            harness("replay", bundle, recording, "--out", folder.path, "--costs", costs)
        }
        for ((ended, folder) in both.toList().zip(folders)) {
            assertEquals(0, ended.code, ended.err)
            assertEquals(File(folder, RunFiles.REPORT).path, ended.out.trim())
        }
        val otherStages = temporary("other.json", COSTS.replace("locate", "find"))
        val refused = harness("replay", bundle, recording, "--out", "$temporary/out", "--costs", otherStages)
        assertEquals(
            "error: $otherStages: stages must be those of the bundle: locate, orient, encode, decode\n",
            refused.err,
        )
        val names = listOf(RunFiles.REPORT, RunFiles.SAMPLES, RunFiles.TEXT, RunFiles.TRACE)
        for (folder in folders) assertEquals(names.sorted(), folder.list()!!.sorted())
        for (name in names) {
            val (once, again) = folders.map { File(it, name).readBytes() }
            assertArrayEquals(once, again, name)
        }
        val frames = report(folders[0]).getValue("frames") as Json.Object
        assertEquals(Json.Number("300"), frames.members["captured"])
        assertEquals(Json.Number("0"), frames.members["failed"])
        assertTrue(((frames.members.getValue("dropped") as Json.Object).members["busy"] as Json.Number).value > 0)
    }

    private fun report(folder: File) = (Json.parse(File(folder, RunFiles.REPORT).readText()) as Json.Object).members

    @ParameterizedTest
    @ValueSource(
        strings = [
            "",
            "walk",
            "run",
            "run BUNDLE",
            "run BUNDLE nowhere.png",
            "run nowhere COSTS",
            "run BUNDLE COSTS",
            "verify COSTS",
            "verify BUNDLE --fast",
            "replay BUNDLE nowhere --out OUT --real",
            "replay BUNDLE COSTS --out OUT --real",
            "replay BUNDLE RECORDING --real",
            "replay BUNDLE RECORDING --out OUT",
            "replay BUNDLE RECORDING --out OUT --real --costs COSTS",
            "replay BUNDLE RECORDING --out OUT --costs",
            "replay BUNDLE RECORDING --out OUT --real",
            "make-recording BUNDLE RECORDING",
            "make-recording BUNDLE COSTS/inside",
        ],
    )
    fun `bad input is one line that begins with error, exit code 2, and nothing written`(words: String) {
        val names = mapOf(
            "BUNDLE" to bundle,
            "COSTS" to temporary("costs.json", COSTS),
            "OUT" to File(temporary, "out").path,
            "RECORDING" to File(temporary, "recording").apply { mkdir() }.also { File(it, "x").writeText("") }.path,
        )
        val arguments = words.split(" ").filter { it.isNotEmpty() }.map { word ->
            names.entries.fold(word) { text, (name, value) ->
                if (text.startsWith(name)) text.replace(name, value) else text
            }
        }
        val ended = harness(*arguments.toTypedArray())
        assertEquals(2, ended.code, ended.err)
        assertTrue(ended.err.startsWith("error: ") && ended.err.trim().lines().size == 1, ended.err)
        assertEquals("", ended.out)
        assertFalse(File(temporary, "out").exists())
    }

    @Test
    fun `costs that are no JSON are refused on one line`() {
        for (costs in listOf("{", "{\"a\": x}", "{\"a\\n\": \"\\ud800\"}", "\u0000", " ".repeat(Json.MAX_BYTES + 1))) {
            val file = temporary("costs.json", costs)
            val ended = harness("replay", bundle, "recording", "--out", "$temporary/out", "--costs", file)
            assertEquals(2, ended.code, ended.err)
            assertTrue(ended.err.startsWith("error: $file: ") && ended.err.trim().lines().size == 1, ended.err)
        }
    }

    @Test
    fun `a file where a folder should be is named as such`() {
        val file = temporary("file", "")
        assertEquals("error: $file: a file is in the way\n", harness("make-recording", bundle, file).err)
    }

    @Test
    fun `a photo without an end is refused`() {
        val ended = harness("run", bundle, "/dev/zero")
        assertEquals(2, ended.code, ended.err)
        assertTrue("larger" in ended.err, ended.err)
    }

    @Test
    fun `results that cannot be written are no success`() {
        val err = ByteArrayOutputStream()
        PrintStream("/dev/full").use { full ->
            assertEquals(2, harness(listOf("--help"), full, PrintStream(err)))
        }
        assertEquals("error: standard output does not take the results\n", err.toString())
    }

    @Test
    fun `what even the machine cannot do is a fault, not a golden vector that fell short`() {
        val err = ByteArrayOutputStream()
        val out = object : PrintStream(ByteArrayOutputStream()) {
            override fun print(text: String?) = throw OutOfMemoryError("heap")
        }
        assertEquals(3, harness(listOf("--help"), out, PrintStream(err)))
        assertTrue(err.toString().startsWith("error: heap\n"), err.toString())
    }

    private companion object {
        /** About 45 ms for a frame with one formula: longer than the 33 ms from frame to frame. */
        const val COSTS = """{
            "format_version": "1.0",
            "refresh_hz": 60,
            "convert_ms": 1.5,
            "stages": {
                "locate": {"pre_ms": 1.0, "run_ms": 20.0, "post_ms": 0.5},
                "orient": {"pre_ms": 0.4, "run_ms": 1.5, "post_ms": 0.1},
                "encode": {"pre_ms": 0.6, "run_ms": 8.0, "post_ms": 0.1},
                "decode": {"pre_ms": 0.1, "run_ms": 1.0, "post_ms": 0.1}
            }
        }"""
    }
}
