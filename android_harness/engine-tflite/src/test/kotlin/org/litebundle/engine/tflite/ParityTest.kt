package org.litebundle.engine.tflite

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.BeforeEach
import org.junit.jupiter.api.Test
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.golden.GoldenCheck
import org.litebundle.core.json.Json
import org.litebundle.core.png.Png
import org.litebundle.core.run.Runner
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs

/** The Kotlin runner against the Python runner: golden vectors, and the photos that `parity/expect.py` leaves. */
class ParityTest {
    private val folder = File(Example.root, "dist/parity")
    private lateinit var bundle: Bundle
    private lateinit var engine: RecordingEngine
    private lateinit var runner: Runner

    @BeforeEach
    fun open() {
        bundle = Example.open()
        engine = RecordingEngine(TfliteEngine())
        runner = Runner(bundle, engine)
    }

    @AfterEach
    fun close() = listOf(runner, engine, bundle).forEach(AutoCloseable::close)

    @Test
    fun `golden vectors are repeated, those of int8 stages to the bit`() {
        val checks = GoldenCheck(bundle, runner).run().groupBy { it.name.substringBefore('/') }
        for (stage in bundle.manifest.stages) {
            for (check in checks.getValue(stage.name)) {
                assertEquals(stage.outputs.map { it.name }.toSet(), check.maxAbs.keys)
                for ((output, off) in check.maxAbs) assertTrue(off <= tolerance(stage), "${check.name}, $output: $off")
            }
        }
    }

    @Test
    fun `fifty photos give the items and the tensors that Python gives`() {
        val expected = expected()
        val photos = expected.list("photos")
        assertTrue(photos.size >= 50)
        for (photo in photos.map { (it as Json.Object).members }) {
            val name = photo.text("photo")
            engine.runs.clear()
            val result = runner.run(Png.decode(content(name)))
            assertEquals(photo.list("runs"), engine.runs.map { Json.Text(it.stage.name) }, "stages that ran on $name")
            compareTensors(name, content(name.replace(".png", ".bin")))
            compareItems(name, result.toJson().items, photo.list("items"))
        }
    }

    private fun expected(): Map<String, Json> {
        val command = "python android_harness/parity/expect.py dist/${Example.file.name} -o dist/parity"
        val file = File(folder, "expected.json")
        assertTrue(file.exists()) { "$file is missing; make it with: $command" }
        val expected = (Json.parse(file.readText()) as Json.Object).members
        assertEquals(bundle.digest, expected.text("bundle")) {
            "$file is of another bundle; make it anew with: $command"
        }
        return expected
    }

    private fun compareTensors(photo: String, expected: ByteBuffer) {
        for ((i, run) in engine.runs.withIndex()) {
            val tolerance = tolerance(run.stage)
            for ((spec, found) in run.stage.outputs.zip(run.outputs)) {
                val off = found.maxOf { abs(it - expected.getFloat()) }
                assertTrue(off <= tolerance) {
                    "$photo, run $i (${run.stage.name}), output ${spec.name} is off by $off"
                }
            }
        }
        assertEquals(0, expected.remaining(), "bytes that no run accounts for, $photo")
    }

    private fun tolerance(stage: StageSpec) = if (stage.precision == "int8") 0.0 else FLOAT_TOLERANCE

    private fun compareItems(photo: String, found: List<Json>, expected: List<Json>) {
        assertEquals(expected.size, found.size, "number of items in $photo")
        for (i in found.indices) {
            val one = (found[i] as Json.Object).members
            val other = (expected[i] as Json.Object).members
            assertEquals(other.keys, one.keys)
            for (field in one.keys) {
                assertTrue(areEqual(one[field], other[field])) {
                    "$photo, item $i: $one, not $other"
                }
            }
        }
    }

    /** Numbers as near as docs/glue.md grants a score, all else equal. */
    private fun areEqual(one: Json?, other: Json?): Boolean = when {
        one is Json.Number && other is Json.Number -> abs(one.value - other.value) <= SCORE_TOLERANCE

        one is Json.Array && other is Json.Array ->
            one.items.size == other.items.size &&
                one.items.indices.all { areEqual(one.items[it], other.items[it]) }

        else -> one == other
    }

    private fun content(name: String): ByteBuffer =
        ByteBuffer.wrap(File(folder, name).readBytes()).order(ByteOrder.LITTLE_ENDIAN)

    private fun Map<String, Json>.text(key: String) = (getValue(key) as Json.Text).value

    private fun Map<String, Json>.list(key: String) = (getValue(key) as Json.Array).items

    private companion object {
        const val FLOAT_TOLERANCE = 1e-5
        const val SCORE_TOLERANCE = 1e-9
    }
}
