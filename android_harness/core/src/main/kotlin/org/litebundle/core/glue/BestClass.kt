package org.litebundle.core.glue

/** The index of the highest of [count] scores from [start] on, from 0, ties to the lowest; NaN is refused. */
internal fun bestClass(op: String, scores: FloatArray, start: Int, count: Int): Int {
    var best = 0
    for (i in 0 until count) {
        val score = scores[start + i]
        if (score.isNaN()) throw GlueException("$op: the scores hold NaN; the model is broken for this picture")
        if (score > scores[start + best]) best = i
    }
    return best
}
