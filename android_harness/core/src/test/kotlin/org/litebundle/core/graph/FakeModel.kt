package org.litebundle.core.graph

import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.Accelerators
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A model that is a function on its memory. */
class FakeModel(
    stage: StageSpec,
    override val keepsInputs: Boolean = true,
    private val compute: (List<ByteBuffer>, List<ByteBuffer>) -> Unit,
) : Model {
    override val residency = Residency.Proven(Accelerator.CPU, "a test")
    override val inputs = stage.inputs.map(::memory)
    override val outputs = stage.outputs.map(::memory)
    var runs = 0
        private set

    override fun enqueue() = Unit

    override fun await() {
        runs++
        compute(inputs, outputs)
        if (!keepsInputs) for (input in inputs) for (i in 0 until input.capacity()) input.put(i, -1)
    }

    override fun close() = Unit

    private fun memory(tensor: TensorSpec): ByteBuffer =
        ByteBuffer.allocateDirect(tensor.shape.fold(tensor.dtype.bytes, Int::times)).order(ByteOrder.nativeOrder())
}

fun tensor(name: String, dtype: DType, shape: List<Int>, quantization: Quantization? = null) =
    TensorSpec(name, dtype, shape, "", quantization)

fun stage(name: String, inputs: List<TensorSpec>, outputs: List<TensorSpec>) = StageSpec(
    name = name,
    file = "stages/$name/model.tflite",
    sha256 = "",
    sizeBytes = 0,
    precision = "none",
    signature = null,
    inputs = inputs,
    outputs = outputs,
    accelerators = Accelerators(listOf(Accelerator.CPU), strict = false),
)
