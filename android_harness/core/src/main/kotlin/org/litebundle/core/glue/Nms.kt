package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

private const val OP = "nms"
internal const val IOU = 0.5

internal val nms = Operation(OP, listOf(Kind.BOXES), listOf(Kind.BOXES)) { attributes ->
    attributes.read(OP) { Nms(fraction("iou", IOU)) }
}

private class Nms(iou: Double) : Step {
    private val suppressor = Suppressor(iou)

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        suppressor.suppress(inputs[0] as Boxes, outputs[0] as Boxes, Int.MAX_VALUE)
    }
}
