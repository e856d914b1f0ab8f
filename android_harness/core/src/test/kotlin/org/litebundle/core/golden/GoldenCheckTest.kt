package org.litebundle.core.golden

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.bundleOf
import org.litebundle.core.bundle.bundleVectors
import org.litebundle.core.bundle.filesOf
import org.litebundle.core.engine.Engine
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.graph.FakeModel
import org.litebundle.core.run.Runner
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest

/** docs/bundle.md, "Golden vectors". */
class GoldenCheckTest {
    private val input = FloatArray(12) { it / 4f }
    private val computed = listOf(0f, 0.25f, 0.5f)

    @Test
    fun `a vector passes up to its tolerance`() {
        val check = check(computed.map { it + 0.5f }).single()
        assertEquals(VectorCheck("colour/0", mapOf("scores" to 0.5), mapOf("scores" to 0.5), ""), check)
    }

    @Test
    fun `a vector beyond its tolerance fails, naming the output`() {
        val check = check(listOf(0f, 0.25f, 1.25f)).single()
        assertEquals(0.75, check.maxAbs["scores"])
        assertTrue("'scores' is off by 0.75, allowed is 0.5" in check.fault, check.fault)
    }

    @Test
    fun `a NaN passes never`() {
        assertTrue(check(listOf(0f, Float.NaN, 0.5f)).single().fault.isNotEmpty())
    }

    @Test
    fun `a model that fails is a vector that fails`() {
        val check = check(computed) { _, _ -> throw EngineException("stage 'colour': no") }.single()
        assertEquals("stage 'colour': no", check.fault)
    }

    @Test
    fun `a file of another size is damage, not drift`() {
        val error = assertThrows(BundleException::class.java) { check(computed.take(2)) }
        assertTrue("file 'golden/out.bin' has 8 bytes" in error.message!!, error.message)
    }

    private fun check(
        expected: List<Float>,
        compute: (ByteBuffer, ByteBuffer) -> Unit = { from, to -> for (i in 0 until 12) to.put(i, from.get(i)) },
    ): List<VectorCheck> {
        val engine = object : Engine {
            override val name = "a test"

            override fun load(flatbuffer: ByteBuffer, stage: StageSpec): Model =
                FakeModel(stage) { inputs, outputs -> compute(inputs[0], outputs[0]) }

            override fun close() = Unit
        }
        val bundle = bundle(expected.toFloatArray())
        return Runner(bundle, engine).use { GoldenCheck(bundle, it).run() }
    }

    /** The small bundle with one golden vector of its stage. */
    private fun bundle(expected: FloatArray): Bundle {
        val files = filesOf(Bundle.open(File(bundleVectors, "small.litebundle"))) - "MANIFEST.sha256"
        val added = mapOf("golden/in.bin" to bytes(input), "golden/out.bin" to bytes(expected))
        val entries = added.entries.joinToString(",") { (name, content) ->
            """"$name": {"sha256": "${sha256(content)}", "size_bytes": ${content.size}}"""
        }
        val vector = """{"inputs": {"image": "golden/in.bin"}, "outputs": {"scores": "golden/out.bin"}}"""
        val manifest = files.getValue("manifest.json").decodeToString()
            .replace(""""files": {""", """"files": {$entries,""")
            .replace(
                """"stages": []""",
                """"stages": [{"stage": "colour", "tolerance": {"scores": 0.5}, "vectors": [$vector]}]""",
            )
        val bundle = bundleOf(files + added + ("manifest.json" to manifest.toByteArray()))
        return Bundle.open(ByteBuffer.allocateDirect(bundle.size).apply { put(bundle).flip() })
    }

    private fun bytes(floats: FloatArray): ByteArray {
        val buffer = ByteBuffer.allocate(Float.SIZE_BYTES * floats.size).order(ByteOrder.LITTLE_ENDIAN)
        floats.forEach(buffer::putFloat)
        return buffer.array()
    }

    private fun sha256(content: ByteArray) =
        MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }
}
