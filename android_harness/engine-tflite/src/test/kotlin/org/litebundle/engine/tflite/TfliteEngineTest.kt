package org.litebundle.engine.tflite

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.Accelerators
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization
import java.nio.ByteBuffer

class TfliteEngineTest {
    private val bundle = Example.open()
    private val engine = TfliteEngine()
    private val locate = stage("locate")

    @AfterEach
    fun close() {
        engine.close()
        bundle.close()
    }

    @Test
    fun `a model has the memory of its tensors, which stays where it is`() {
        load(stage("decode")).use { model ->
            assertEquals(listOf(4, 4 * 192, 4 * 192 * 128), model.inputs.map(ByteBuffer::capacity))
            assertEquals(listOf(4 * 109, 4 * 192), model.outputs.map(ByteBuffer::capacity))
            model.inputs.forEach { assertTrue(it.isDirect) }
            repeat(3) { run(model) }
        }
    }

    @Test
    fun `inputs of the decoder hold their values over a run`() {
        load(stage("decode")).use { model ->
            val memory = model.inputs[2]
            while (memory.hasRemaining()) memory.put(memory.position().toByte())
            run(model)
            assertTrue(model.keepsInputs)
        }
    }

    @Test
    fun `a run allocates nothing`() {
        load(stage("orient")).use { model -> assertEquals(0, Allocation.leastBytes { run(model) }) }
    }

    @Test
    fun `a stage that wants the CPU is proven there`() {
        load(locate).use { assertEquals(Accelerator.CPU, (it.residency as Residency.Proven).accelerator) }
    }

    @Test
    fun `a stage that wants an accelerator and may fall back is not proven`() {
        val wanting = locate.copy(accelerators = Accelerators(listOf(Accelerator.GPU, Accelerator.CPU), strict = false))
        load(wanting).use { assertEquals(Accelerator.GPU, (it.residency as Residency.Unproven).wanted) }
    }

    @Test
    fun `a strict stage without the CPU is refused`() =
        refused(locate.copy(accelerators = Accelerators(listOf(Accelerator.NPU), strict = true)), "only on npu")

    @Test
    fun `another number of tensors is refused`() =
        refused(locate.copy(outputs = locate.outputs.take(1)), "has 2 outputs")

    @Test
    fun `another order of tensors is refused`() =
        refused(locate.copy(outputs = locate.outputs.reversed()), "output 0 of the model has name heatmap")

    @Test
    fun `another name is refused`() = refused(input { copy(name = "photo") }, "name image, the manifest says photo")

    @Test
    fun `another dtype is refused`() = refused(
        input {
            copy(dtype = DType.INT8)
        },
        "'image' of the model has dtype uint8",
    )

    @Test
    fun `another shape is refused`() = refused(
        input {
            copy(shape = listOf(1, 320, 320, 1))
        },
        "shape [1, 320, 320, 3], the manifest says [1, 320, 320, 1]",
    )

    @Test
    fun `another scale is refused`() = refused(quantized { copy(scale = Math.nextUp(scale)) }, "has quantization")

    @Test
    fun `another zero point is refused`() = refused(
        quantized {
            copy(zeroPoint = 1)
        },
        "zeroPoint=0), the manifest says",
    )

    @Test
    fun `a quantization that the model lacks is refused`() = refused(
        locate.copy(outputs = locate.outputs.map { it.copy(quantization = Quantization(1f, 0)) }),
        "output 0 'heatmap' of the model has quantization null",
    )

    @Test
    fun `another signature is refused`() = refused(locate.copy(signature = "main"), "signatures [serving_default]")

    @Test
    fun `without a signature the tensors' own names count`() = load(locate.copy(signature = null)).close()

    @Test
    fun `a flatbuffer cut short is refused`() {
        val whole = bundle.file(locate.file)
        val cut = ByteBuffer.allocateDirect(whole.capacity() / 2)
        cut.put(whole.duplicate().limit(cut.capacity()) as ByteBuffer).flip()
        val error = assertThrows(EngineException::class.java) { engine.load(cut, locate) }
        assertEquals("stage 'locate': its file is no valid TFLite flatbuffer", error.message)
    }

    @Test
    fun `a flatbuffer on the heap is refused, for it would have to be copied`() {
        val error = assertThrows(EngineException::class.java) { engine.load(ByteBuffer.allocate(16), locate) }
        assertTrue("direct" in error.message!!)
    }

    private fun stage(name: String) = bundle.manifest.stages.first { it.name == name }

    private fun load(stage: StageSpec) = engine.load(bundle.file(stage.file), stage)

    private fun run(model: Model) {
        model.enqueue()
        model.await()
    }

    private fun input(change: TensorSpec.() -> TensorSpec) = locate.copy(inputs = locate.inputs.map(change))

    private fun quantized(change: Quantization.() -> Quantization) =
        input { copy(quantization = quantization!!.change()) }

    private fun refused(stage: StageSpec, rule: String) {
        val error = assertThrows(EngineException::class.java) { load(stage).close() }
        assertTrue(rule in error.message!!, error.message)
        assertTrue("stage 'locate'" in error.message!!, error.message)
    }
}
