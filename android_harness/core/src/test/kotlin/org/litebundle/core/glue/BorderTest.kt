package org.litebundle.core.glue

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.litebundle.core.json.Json
import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization

class BorderTest {
    @TestFactory
    fun `each folder of the border gives its vectors`(): List<DynamicTest> =
        listOf("quantize", "dequantize", "pixels_as").flatMap { folder ->
            VectorFiles.read(folder).map { dynamicTest("$it") { check(it) } }
        }

    @Test
    fun `an input that is neither int8 nor uint8 is refused`() {
        val raw = ByteArray(1)
        assertThrows(GlueException::class.java) {
            quantize(FloatArray(1), 1, Quantization(1f, 0), DType.INT32, raw)
        }
        assertThrows(GlueException::class.java) { pixelsAs(raw, 1, DType.FLOAT32, raw) }
    }

    private fun check(vector: Vector) {
        val expected = vector.outputs
        if (expected == null) {
            assertThrows(GlueException::class.java) { run(vector) }
            return
        }
        val array = expected.values.single() as VectorValue.Array
        val actual = run(vector)
        assertEquals(array.entries.size, actual.size)
        for (i in actual.indices) assertEquals(array.entries[i], actual[i], 0.0, "entry $i")
    }

    private fun run(vector: Vector): DoubleArray {
        val entries = (vector.inputs.values.single() as VectorValue.Array).entries
        val dtype = DType.of(vector.text("dtype"))!!
        val bytes = ByteArray(entries.size) { entries[it].toInt().toByte() }
        val raw = ByteArray(entries.size)
        when (vector.op) {
            "quantize" ->
                quantize(
                    FloatArray(entries.size) {
                        entries[it].toFloat()
                    },
                    entries.size,
                    quantization(vector),
                    dtype,
                    raw,
                )

            "dequantize" -> {
                val reals = FloatArray(entries.size)
                dequantize(bytes, entries.size, quantization(vector), dtype, reals)
                return DoubleArray(reals.size) { reals[it].toDouble() }
            }

            else -> pixelsAs(bytes, entries.size, dtype, raw)
        }
        return DoubleArray(raw.size) {
            if (dtype ==
                DType.UINT8
            ) {
                (raw[it].toInt() and 0xff).toDouble()
            } else {
                raw[it].toDouble()
            }
        }
    }

    private fun quantization(vector: Vector) =
        Quantization((vector.attributes.getValue("scale") as Json.Number).value.toFloat(), vector.whole("zero_point"))
}
