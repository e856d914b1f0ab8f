package org.litebundle.engine.litert

import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.LiteRtException
import com.google.ai.edge.litert.TensorBuffer
import com.google.ai.edge.litert.TensorType
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import org.litebundle.core.value.DType
import java.nio.ByteBuffer

/**
 * A compiled model. LiteRT's Kotlin interface runs synchronously and copies arrays in and out, so all of a run, copies
 * and readback included, is in [await].
 */
internal class LitertModel(
    private val compiled: CompiledModel,
    private val stage: StageSpec,
    override val residency: Residency,
) : Model {
    private val signature = stage.signature.orEmpty()
    private val ports = ArrayList<Port>()
    private val inputPorts: List<Port>
    private val outputPorts: List<Port>
    private val inputBuffers = LinkedHashMap<String, TensorBuffer>()
    private val outputBuffers = LinkedHashMap<String, TensorBuffer>()
    private var enqueued = false

    override val inputs: List<ByteBuffer>
    override val outputs: List<ByteBuffer>

    /** [inputs] are a copy that the run never sees. */
    override val keepsInputs = true

    init {
        try {
            inputPorts = stage.inputs.map { spec ->
                check(spec) { compiled.getInputTensorType(spec.name, signature) }
                port(spec, compiled.createInputBuffer(spec.name, signature), inputBuffers)
            }
            outputPorts = stage.outputs.map { spec ->
                check(spec) { compiled.getOutputTensorType(spec.name, signature) }
                port(spec, compiled.createOutputBuffer(spec.name, signature), outputBuffers)
            }
        } catch (error: LiteRtException) {
            close()
            throw EngineException("stage '${stage.name}': LiteRT has not the tensors of the manifest", error)
        } catch (error: EngineException) {
            close()
            throw error
        }
        inputs = inputPorts.map { it.memory }
        outputs = outputPorts.map { it.memory }
    }

    private fun check(spec: TensorSpec, type: () -> TensorType) {
        val title = "stage '${stage.name}', tensor '${spec.name}'"
        if (spec.dtype == DType.FLOAT16) throw EngineException("$title: LiteRT's Kotlin interface has no float16")
        val wanted = Port.elementType(spec.dtype) ?: return
        val found = type()
        val shape = found.layout?.dimensions
        if (found.elementType != wanted || shape != spec.shape) {
            throw EngineException(
                "$title: the model has ${found.elementType} $shape, the manifest says $wanted ${spec.shape}; " +
                    "the bundle's model and manifest do not belong together",
            )
        }
    }

    private fun port(spec: TensorSpec, buffer: TensorBuffer, buffers: MutableMap<String, TensorBuffer>): Port {
        buffers[spec.name] = buffer
        return Port(spec, buffer).also(ports::add)
    }

    override fun enqueue() {
        check(!enqueued) { "stage '${stage.name}': a run is in flight; await it first" }
        enqueued = true
    }

    override fun await() {
        check(enqueued) { "stage '${stage.name}': no run is in flight; enqueue one first" }
        enqueued = false
        try {
            inputPorts.forEach { it.write() }
            compiled.run(inputBuffers, outputBuffers, signature)
            outputPorts.forEach { it.read() }
        } catch (error: LiteRtException) {
            throw EngineException("stage '${stage.name}': the run failed: ${error.message}", error)
        }
    }

    override fun close() {
        ports.forEach { it.close() }
        compiled.close()
    }
}
