package org.litebundle.core.glue

import org.litebundle.core.value.Kind
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Text
import org.litebundle.core.value.Value
import kotlin.math.exp

private const val OP = "softmax_top_k"

internal val softmaxTopK = Operation(OP, listOf(Kind.TENSOR), listOf(Kind.TEXT, Kind.SCORE)) { attributes ->
    attributes.read(OP) {
        whole("k", 1..1, 1)
        SoftmaxTopK(labels(), bool("softmax", true))
    }
}

private class SoftmaxTopK(private val labels: Array<String>, private val softmax: Boolean) : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val scores = inputs[0] as Tensor
        checkFloats(OP, "scores", scores, ANY)
        val count = scores.shape[1]
        checkLabelCount(OP, labels.size, count)
        val best = bestClass(OP, scores.floats, 0, count)
        val highest = scores.floats[best].toDouble()
        if (highest.isInfinite()) {
            throw GlueException(
                "$OP: the highest score is $highest; the model is broken for this input",
            )
        }
        val text = (outputs[0] as Text).text
        text.setLength(0)
        text.append(labels[best])
        (outputs[1] as Score).score = if (softmax) 1 / sumOfPowers(scores.floats, count, highest) else highest
    }

    private fun sumOfPowers(scores: FloatArray, count: Int, highest: Double): Double {
        var sum = 0.0
        for (i in 0 until count) sum += exp(scores[i] - highest)
        return sum
    }
}
