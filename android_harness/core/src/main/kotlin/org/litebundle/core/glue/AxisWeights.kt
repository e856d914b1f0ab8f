package org.litebundle.core.glue

import kotlin.math.abs
import kotlin.math.floor

/**
 * The weights of one pass of a resize (docs/glue.md, "resize"): output i is the sum of the inputs from [first]`[i]` on
 * times the weights `starts[i] … starts[i + 1] − 1`, with 22 bits behind the point.
 */
internal class AxisWeights {
    private var sizeIn = 0
    private var sizeOut = 0
    private var reals = DoubleArray(0)
    var first = IntArray(0)
        private set
    var starts = IntArray(0)
        private set
    var weights = IntArray(0)
        private set

    /** Take the weights from [sizeIn] to [sizeOut] pixels; those of the last call are kept. */
    fun prepare(sizeIn: Int, sizeOut: Int) {
        if (sizeIn == this.sizeIn && sizeOut == this.sizeOut) return
        val scale = sizeIn.toDouble() / sizeOut
        val support = maxOf(scale, 1.0)
        val most = 2 * support.toInt() + TAPS_BESIDE
        reals = reals.grown(most)
        first = first.grown(sizeOut)
        starts = starts.grown(sizeOut + 1)
        weights = weights.grown(sizeOut * most)
        var next = 0
        for (i in 0 until sizeOut) {
            starts[i] = next
            next = weigh(i, (i + 0.5) * scale, support, sizeIn, next)
        }
        starts[sizeOut] = next
        this.sizeIn = sizeIn
        this.sizeOut = sizeOut
    }

    private fun weigh(i: Int, centre: Double, support: Double, sizeIn: Int, next: Int): Int {
        val begin = maxOf(0, floor(centre - support + 0.5).toInt())
        val count = minOf(sizeIn, floor(centre + support + 0.5).toInt()) - begin
        val perPixel = 1.0 / support
        var total = 0.0
        for (t in 0 until count) {
            val weight = maxOf(0.0, 1.0 - abs((begin + t - centre + 0.5) * perPixel))
            reals[t] = weight
            total += weight
        }
        first[i] = begin
        for (t in 0 until count) weights[next + t] = floor(reals[t] / total * ONE + 0.5).toInt()
        return next + count
    }

    companion object {
        const val BITS = 22

        /** Half of the last place that stays. */
        const val HALF = 1 shl (BITS - 1)
        private const val ONE = 1 shl BITS

        /** Taps beyond twice the whole support: its fraction on both sides, and the rounding of both ends. */
        private const val TAPS_BESIDE = 3
    }
}
