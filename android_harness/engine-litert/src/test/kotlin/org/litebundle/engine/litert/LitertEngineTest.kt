package org.litebundle.engine.litert

import com.google.ai.edge.litert.FakePhone
import com.google.ai.edge.litert.TensorType
import com.google.ai.edge.litert.TensorType.ElementType
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.Accelerators
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import org.litebundle.core.value.DType
import java.io.File
import java.nio.ByteBuffer
import com.google.ai.edge.litert.Accelerator as Chip

/** The phone here is a fake behind LiteRT's signatures; what a real one does is for a phone to show. */
class LitertEngineTest {
    @TempDir
    lateinit var folder: File

    private val flatbuffer = ByteBuffer.allocateDirect(4).apply { put(0, 7) }

    private fun spec(name: String, dtype: DType, vararg shape: Int) =
        TensorSpec(name, dtype, shape.toList(), "none", null)

    private fun stage(
        order: List<Accelerator>,
        strict: Boolean,
        inputs: List<TensorSpec> = listOf(spec("x", DType.FLOAT32, 1, 3)),
        outputs: List<TensorSpec> = listOf(spec("y", DType.FLOAT32, 1, 3)),
    ) = StageSpec(
        "read", "m.tflite", "ab", 4, "int8", "serving_default", inputs, outputs, Accelerators(order, strict),
    )

    private fun type(element: ElementType, vararg shape: Int) = TensorType(element, TensorType.Layout(shape.toList()))

    private fun phone(
        vararg takes: Chip,
        inputs: Map<String, TensorType> = mapOf("x" to type(ElementType.FLOAT, 1, 3)),
        outputs: Map<String, TensorType> = mapOf("y" to type(ElementType.FLOAT, 1, 3)),
        compute: (Map<String, Any>) -> Map<String, Any> = { emptyMap() },
    ) = FakePhone(takes.toSet(), inputs, outputs, compute).also { FakePhone.now = it }

    private fun load(stage: StageSpec): Model = LitertEngine(folder).load(flatbuffer, stage)

    private val npuThenGpu = listOf(Accelerator.NPU, Accelerator.GPU)

    @Test
    fun `the first accelerator that takes all of a model is its proven residence`() {
        val phone = phone(Chip.CPU, Chip.GPU)
        val residency = load(stage(npuThenGpu, strict = true)).residency
        assertEquals(Accelerator.GPU, (residency as Residency.Proven).accelerator)
        assertEquals(listOf(setOf(Chip.NPU, Chip.NONE), setOf(Chip.GPU)), phone.asked)
    }

    @Test
    fun `no accelerator is ever asked for together with the CPU`() {
        val phone = phone()
        assertThrows(EngineException::class.java) { load(stage(npuThenGpu, strict = false)) }
        for (set in phone.asked) assertTrue(set == setOf(Chip.CPU) || Chip.CPU !in set, "$set")
        // LiteRT's Kotlin interface adds the CPU to a set of the NPU alone.
        assertTrue(setOf(Chip.NPU) !in phone.asked)
    }

    @Test
    fun `a strict stage that no accelerator takes is refused with what each said`() {
        phone(Chip.CPU)
        val error = assertThrows(EngineException::class.java) { load(stage(npuThenGpu, strict = true)) }
        for (word in listOf(
            "'read'",
            "npu: Some ops",
            "gpu: Some ops",
        )) {
            assertTrue(word in error.message!!, error.message)
        }
    }

    @Test
    fun `a stage that may fall back runs on the CPU and proves nothing`() {
        phone(Chip.CPU)
        val residency = load(stage(npuThenGpu, strict = false)).residency as Residency.Unproven
        assertEquals(Accelerator.NPU, residency.wanted)
        assertTrue("CPU" in residency.reason)
    }

    @Test
    fun `a stage for the CPU is proven there`() {
        phone(Chip.CPU)
        val residency = load(stage(listOf(Accelerator.CPU), strict = true)).residency
        assertEquals(Accelerator.CPU, (residency as Residency.Proven).accelerator)
    }

    @Test
    fun `the model is written to a file once, and again if the file is another`() {
        val phone = phone(Chip.CPU)
        val stage = stage(listOf(Accelerator.CPU), strict = true)
        load(stage)
        val written = folder.listFiles()!!.single()
        val time = 1_000_000_000_000
        written.setLastModified(time)
        load(stage)
        assertEquals(time, written.lastModified())
        for (damaged in listOf(byteArrayOf(), byteArrayOf(7, 0, 0), byteArrayOf(7, 0, 1, 0), ByteArray(5) { 7 })) {
            written.writeBytes(damaged)
            load(stage)
        }
        assertEquals(List(6) { listOf<Byte>(7, 0, 0, 0) }, phone.files)
        assertEquals(listOf("ab.tflite"), folder.list()!!.toList())
    }

    @Test
    fun `a folder that cannot be written to is named`() {
        phone(Chip.CPU)
        val occupied = File(folder, "file").apply { writeText("") }
        val engine = LitertEngine(occupied)
        val error = assertThrows(EngineException::class.java) {
            engine.load(flatbuffer, stage(listOf(Accelerator.CPU), strict = true))
        }
        assertTrue(occupied.path in error.message!!, error.message)
    }

    @Test
    fun `a run takes and gives raw values of every type`() {
        val element = mapOf(
            DType.FLOAT32 to ElementType.FLOAT,
            DType.INT32 to ElementType.INT,
            DType.INT64 to ElementType.INT64,
            DType.BOOL to ElementType.BOOLEAN,
            DType.INT8 to ElementType.INT8,
            DType.UINT8 to null,
        )
        for ((dtype, name) in element) {
            val types = name?.let { type(it, 1, 3) }
            phone(
                Chip.CPU,
                inputs = types?.let { mapOf("x" to it) }.orEmpty(),
                outputs = types?.let { mapOf("y" to it) }.orEmpty(),
                compute = { mapOf("y" to it.getValue("x")) },
            )
            val echo = stage(
                listOf(Accelerator.CPU),
                true,
                listOf(spec("x", dtype, 1, 3)),
                listOf(spec("y", dtype, 1, 3)),
            )
            val model = load(echo)
            val raw = ByteArray(3 * dtype.bytes) { if (dtype == DType.BOOL) (it % 2).toByte() else (it * 31).toByte() }
            raw.forEachIndexed(model.inputs[0]::put)
            model.enqueue()
            model.await()
            assertArrayEquals(raw, ByteArray(raw.size) { model.outputs[0].get(it) }, dtype.id)
        }
    }

    @Test
    fun `tensors that are not the manifest's are refused, and nothing stays open`() {
        val wrong = listOf(
            mapOf("x" to type(ElementType.FLOAT, 1, 4)),
            mapOf("x" to type(ElementType.INT, 1, 3)),
            mapOf("x" to TensorType(ElementType.FLOAT)),
            mapOf("z" to type(ElementType.FLOAT, 1, 3)),
        )
        for (inputs in wrong) {
            val phone = phone(Chip.CPU, inputs = inputs)
            val error =
                assertThrows(EngineException::class.java) { load(stage(listOf(Accelerator.CPU), strict = true)) }
            assertTrue("'read'" in error.message!!, error.message)
            assertEquals(1, phone.open, "the environment alone")
        }
    }

    @Test
    fun `a uint8 output of another size is refused when it is read, as LiteRT tells nothing of it before`() {
        for (found in listOf(2, 4)) {
            phone(Chip.CPU, outputs = emptyMap(), compute = { mapOf("y" to ByteArray(found)) })
            val outputs = listOf(spec("y", DType.UINT8, 1, 3))
            val model = load(stage(listOf(Accelerator.CPU), strict = true, outputs = outputs))
            model.enqueue()
            val error = assertThrows(EngineException::class.java) { model.await() }
            assertTrue("'y': the model has $found values, the manifest says 3" in error.message!!, error.message)
        }
    }

    @Test
    fun `float16 is refused, since LiteRT's Kotlin interface cannot read it`() {
        phone(Chip.CPU)
        val half = stage(listOf(Accelerator.CPU), true, listOf(spec("x", DType.FLOAT16, 1, 3)))
        val error = assertThrows(EngineException::class.java) { load(half) }
        assertTrue("float16" in error.message!!)
    }

    @Test
    fun `a failing run names its stage`() {
        phone(Chip.CPU)
        val model = load(stage(listOf(Accelerator.CPU), strict = true))
        model.enqueue()
        val error = assertThrows(EngineException::class.java) { model.await() }
        assertTrue("'read'" in error.message!! && "the driver gave up" in error.message!!)
    }

    @Test
    fun `a run is enqueued before it is awaited, and awaited before the next`() {
        phone(Chip.CPU, compute = { mapOf("y" to FloatArray(3)) })
        val model = load(stage(listOf(Accelerator.CPU), strict = true))
        assertThrows(IllegalStateException::class.java) { model.await() }
        model.enqueue()
        assertThrows(IllegalStateException::class.java) { model.enqueue() }
        model.await()
    }

    @Test
    fun `all that was opened is closed`() {
        val phone = phone(Chip.CPU)
        val engine = LitertEngine(folder)
        engine.load(flatbuffer, stage(listOf(Accelerator.CPU), strict = true)).close()
        engine.close()
        assertEquals(0, phone.open)
    }
}
