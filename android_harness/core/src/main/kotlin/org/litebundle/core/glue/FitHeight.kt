package org.litebundle.core.glue

import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

private const val OP = "fit_height"

internal val fitHeight = Operation(OP, listOf(Kind.IMAGE), listOf(Kind.IMAGE)) { attributes ->
    attributes.read(OP) { FitHeight(count("height"), count("max_width")) }
}

private class FitHeight(private val height: Int, private val maxWidth: Int) : Step {
    private val resizer = Resizer()

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val image = inputs[0] as Image
        val resized = outputs[0] as Image
        checkImage(OP, image)
        val width = minOf(maxWidth, scaledSide(image.width, height, image.height))
        resized.reshape(width, height, image.channels)
        resizer.resize(image, resized, 0, 0, width, height)
    }
}
