package org.litebundle.core.glue

import org.litebundle.core.value.Image
import org.litebundle.core.value.Index
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

private const val OP = "rotate_upright"
private const val QUARTER = 90
private const val QUARTERS = 4

internal val rotateUpright = Operation(
    OP,
    listOf(Kind.IMAGE, Kind.TENSOR),
    listOf(Kind.IMAGE, Kind.INDEX),
) { attributes ->
    attributes.read(OP) {
        val angles = wholes("angles", 1..QUARTERS, 0..(QUARTERS - 1) * QUARTER, intArrayOf(0, 90, 180, 270))
        if (angles.any { it % QUARTER != 0 } || angles.distinct().size != angles.size) {
            refuse("angles", "0, 90, 180 or 270, each at most once")
        }
        val threshold = realOrNull("threshold")
        if (threshold != null && angles[0] != 0) refuse("angles", "a list that begins with 0, as there is a threshold")
        RotateUpright(angles, threshold?.toFloat() ?: Float.NEGATIVE_INFINITY)
    }
}

/** Without a threshold, [threshold] is −infinity, which no score is under. */
private class RotateUpright(private val angles: IntArray, private val threshold: Float) : Step {
    private val turner = Turner()

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val picture = inputs[0] as Image
        val scores = inputs[1] as Tensor
        checkImage(OP, picture)
        checkFloats(OP, "scores", scores, angles.size)
        val best = bestClass(OP, scores.floats, 0, angles.size)
        val index = if (scores.floats[best] < threshold) 0 else best
        (outputs[1] as Index).index = index
        turner.turn(picture, outputs[0] as Image, angles[index] / QUARTER)
    }
}
