package org.litebundle.engine.tflite

import org.bytedeco.javacpp.BytePointer
import org.bytedeco.javacpp.Pointer
import org.bytedeco.tensorflowlite.BuiltinOpResolverWithXNNPACK
import org.bytedeco.tensorflowlite.FlatBufferModel
import org.bytedeco.tensorflowlite.Interpreter
import org.bytedeco.tensorflowlite.InterpreterBuilder
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteOk
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * A stage's model on its own interpreter.
 *
 * The CPU has no queue: [enqueue] leaves all to [await], so the time between both is the time of the run.
 */
internal class TfliteModel(
    private val flatbuffer: ByteBuffer,
    private val stage: StageSpec,
    threads: Int,
    override val residency: Residency,
) : Model {
    private val native = ArrayDeque<Pointer>()
    private val interpreter: Interpreter
    private val inputTensors: List<TfLiteTensor>
    private val outputTensors: List<TfLiteTensor>
    private var ran = false
    private var enqueued = false
    override val inputs: List<ByteBuffer>
    override val outputs: List<ByteBuffer>

    /** Known after the first run: the plan of the memory is fixed, so what one run leaves alone, all do. */
    override var keepsInputs = false
        private set

    init {
        if (!flatbuffer.isDirect) throw refused("its flatbuffer is not in a direct buffer; map the bundle")
        try {
            interpreter = build(threads)
            val tensors = TensorCheck(stage, interpreter)
            // Before allocation, which may write a computed shape over the stored one.
            tensors.check()
            hideBatchProducts(interpreter)
            if (interpreter.AllocateTensors() != kTfLiteOk) throw refused("the runtime cannot allocate its tensors")
            tensors.check()
            inputTensors = stage.inputs.indices.map { interpreter.input_tensor(it.toLong()) }
            outputTensors = stage.outputs.indices.map { interpreter.output_tensor(it.toLong()) }
            inputs = inputTensors.mapIndexed { i, tensor -> memory(tensor, stage.inputs[i].name) }
            outputs = outputTensors.mapIndexed { i, tensor -> memory(tensor, stage.outputs[i].name) }
            // Fresh memory holds anything, also tokens and indices that no model takes.
            for (tensor in inputTensors) Pointer.memset(tensor.data().raw(), 0, tensor.bytes())
        } catch (error: EngineException) {
            close()
            throw error
        }
    }

    private fun build(threads: Int): Interpreter {
        val content = keep(BytePointer(flatbuffer))
        val model = FlatBufferModel.VerifyAndBuildFromBuffer(content, flatbuffer.remaining().toLong(), null, null)
        if (model == null || model.isNull) throw refused("its file is no valid TFLite flatbuffer")
        keep(model)
        val resolver = keep(BuiltinOpResolverWithXNNPACK())
        val interpreter = keep(Interpreter(null as Pointer?))
        InterpreterBuilder(model, resolver).use { builder ->
            builder.SetNumThreads(threads)
            if (builder.apply(interpreter) != kTfLiteOk || interpreter.isNull) {
                throw refused("the runtime cannot build it; it may have an operator that this version lacks")
            }
        }
        return interpreter
    }

    private fun <T : Pointer> keep(pointer: T): T = pointer.also(native::addLast)

    private fun memory(tensor: TfLiteTensor, name: String): ByteBuffer {
        val data = tensor.data().raw()
        if (data == null ||
            data.isNull
        ) {
            throw refused("tensor '$name' has no memory before a run; give it fixed shapes")
        }
        return data.capacity(tensor.bytes()).asByteBuffer().order(ByteOrder.nativeOrder())
    }

    override fun enqueue() {
        check(!enqueued) { "stage '${stage.name}': a run is in flight; await it first" }
        enqueued = true
    }

    override fun await() {
        check(enqueued) { "stage '${stage.name}': no run is in flight; enqueue one first" }
        enqueued = false
        if (ran) invoke() else firstRun()
    }

    private fun invoke() {
        if (interpreter.Invoke() != kTfLiteOk) throw refused("its run failed; the runtime's log says where")
    }

    private fun firstRun() {
        val before = inputs.map { copyOf(it) }
        invoke()
        TensorCheck(stage, interpreter).check()
        for ((i, tensor) in outputTensors.withIndex()) {
            if (tensor.data().raw().address() != BytePointer(outputs[i]).address()) {
                throw refused("output '${stage.outputs[i].name}' moved in memory while it ran; give it a fixed shape")
            }
        }
        keepsInputs = inputs.indices.all { copyOf(inputs[it]).contentEquals(before[it]) }
        ran = true
    }

    private fun copyOf(memory: ByteBuffer): ByteArray {
        val all = memory.duplicate()
        (all as Buffer).position(0)
        return ByteArray(all.remaining()).also(all::get)
    }

    override fun close() {
        while (native.isNotEmpty()) native.removeLast().close()
    }

    private fun refused(rule: String) = EngineException("stage '${stage.name}': $rule")
}
