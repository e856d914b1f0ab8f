package org.litebundle.core.glue

import org.litebundle.core.value.DType
import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

private const val OP = "to_tensor"

internal val toTensor = Operation(OP, listOf(Kind.IMAGE), listOf(Kind.TENSOR)) { attributes ->
    attributes.read(OP) { ToTensor() }
}

private class ToTensor : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val image = inputs[0] as Image
        val tensor = outputs[0] as Tensor
        checkImage(OP, image)
        tensor.reshape(DType.UINT8, image.height, image.width, image.channels)
        System.arraycopy(image.pixels, 0, tensor.bytes, 0, image.size)
    }
}
