package org.litebundle.core.glue

import com.sun.management.ThreadMXBean
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.TestFactory
import org.litebundle.core.frame.YuvToRgb
import org.litebundle.core.frame.frame
import org.litebundle.core.json.Json
import org.litebundle.core.value.DType
import org.litebundle.core.value.Image
import org.litebundle.core.value.Quantization
import org.litebundle.core.value.Value
import java.lang.management.ManagementFactory

/** A frame like those before it allocates nothing, also when sizes change from one to the next. */
class AllocationTest {
    private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

    @TestFactory
    fun `an operation allocates nothing in a steady state`(): List<DynamicTest> =
        Operations.all.values.map { operation ->
            dynamicTest(operation.name) {
                val vectors = VectorFiles.read(operation.name).filter { it.outputs != null }
                // The vectors of one set of attributes are the frames of one step, of many sizes.
                for ((_, alike) in vectors.groupBy { it.attributes.toString() }) {
                    val step = operation.prepare(alike.first().forStep())
                    val outputs = outputsOf(operation)
                    val frames = alike.map { vector ->
                        operation.inputs.zip(vector.inputs.values) { kind, value ->
                            valueOf(value as VectorValue.Array, kind)
                        }.toTypedArray()
                    }
                    assertEquals(
                        0,
                        bytesAllocatedBy {
                            for (i in frames.indices) step.run(frames[i], outputs)
                        },
                        "$alike",
                    )
                }
            }
        }

    @TestFactory
    fun `pictures of changing size are scaled, turned and converted without allocation`(): List<DynamicTest> = listOf(
        "letterbox" to """{"size": [20, 30]}""",
        "resize" to """{"size": [20, 30]}""",
        "fit_height" to """{"height": 16, "max_width": 40}""",
        "convert_color" to """{"to": "gray"}""",
        "to_tensor" to "{}",
        "normalize" to """{"mean": [0], "std": [255]}""",
    ).map { (name, attributes) ->
        dynamicTest(name) {
            val operation = Operations.all.getValue(name)
            val step = operation.prepare(attributes(attributes))
            val outputs = outputsOf(operation)
            val frames = listOf(40 to 20, 7 to 9, 20 to 40, 30 to 20, 1 to 1).flatMap { (width, height) ->
                listOf(1, 3).map { arrayOf<Value>(Image().apply { reshape(width, height, it) }) }
            }
            assertEquals(0, bytesAllocatedBy { for (i in frames.indices) step.run(frames[i], outputs) })
        }
    }

    @TestFactory
    fun `the border of a model and a camera frame allocate nothing`(): List<DynamicTest> {
        val reals = FloatArray(100)
        val raw = ByteArray(100)
        val quantization = Quantization(0.1f, 3)
        val converter = YuvToRgb()
        val photo = Image()
        val frames = listOf(frame(8, 6, 1, 1, 0), frame(9, 5, 2, 2, 3))
        return listOf<Pair<String, () -> Unit>>(
            "quantize" to { quantize(reals, 100, quantization, DType.INT8, raw) },
            "dequantize" to { dequantize(raw, 100, quantization, DType.INT8, reals) },
            "pixels" to { pixelsAs(raw, 100, DType.INT8, raw) },
            "camera frames" to { for (i in frames.indices) converter.convert(frames[i], photo, 90) },
        ).map { (name, run) -> dynamicTest(name) { assertEquals(0, bytesAllocatedBy(run)) } }
    }

    /** Of one run, after enough runs that arrays have grown. */
    private fun bytesAllocatedBy(run: () -> Unit): Long {
        repeat(3) { run() }
        threads.currentThreadAllocatedBytes // The first reading may itself allocate.
        val before = threads.currentThreadAllocatedBytes
        run()
        return threads.currentThreadAllocatedBytes - before
    }
}

/** Attributes written as JSON. */
fun attributes(json: String) = Attributes((Json.parse(json) as Json.Object).members, null)
