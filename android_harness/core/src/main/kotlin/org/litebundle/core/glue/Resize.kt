package org.litebundle.core.glue

import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

private const val OP = "resize"

internal val resize = Operation(OP, listOf(Kind.IMAGE), listOf(Kind.IMAGE)) { attributes ->
    attributes.read(OP) { Resize(size("size")) }
}

private class Resize(private val size: Size) : Step {
    private val resizer = Resizer()

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val image = inputs[0] as Image
        val resized = outputs[0] as Image
        checkImage(OP, image)
        resized.reshape(size.width, size.height, image.channels)
        resizer.resize(image, resized, 0, 0, size.width, size.height)
    }
}
