package org.litebundle.core.glue

import org.litebundle.core.value.Kind
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Text
import org.litebundle.core.value.Value

private const val OP = "ctc_decode"

internal val ctcDecode = Operation(OP, listOf(Kind.TENSOR), listOf(Kind.TEXT, Kind.SCORE)) { attributes ->
    attributes.read(OP) {
        val labels = labels()
        val blank = whole("blank", 0..Int.MAX_VALUE, 0)
        if (blank >= labels.size) refuse("blank", "under ${labels.size}, the number of labels")
        CtcDecode(labels, blank)
    }
}

private class CtcDecode(private val labels: Array<String>, private val blank: Int) : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val probabilities = inputs[0] as Tensor
        val text = (outputs[0] as Text).text
        checkFloats(OP, "probabilities", probabilities, ANY, ANY)
        val classes = probabilities.shape[2]
        checkLabelCount(OP, labels.size, classes)
        text.setLength(0)
        var before = blank
        var sum = 0.0
        var kept = 0
        for (step in 0 until probabilities.shape[1]) {
            val best = bestClass(OP, probabilities.floats, step * classes, classes)
            if (best != blank && best != before) {
                text.append(labels[best])
                sum += probabilities.floats[step * classes + best].toDouble()
                kept++
            }
            before = best
        }
        (outputs[1] as Score).score = if (kept == 0) 0.0 else sum / kept
    }
}
