package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Boxes.Companion.STRIDE

/** Non-maximum suppression as docs/glue.md defines it for `nms`. */
internal class Suppressor(private val iou: Double) {
    private val sort = StableSort()
    private val scores = ScoresPrecede()
    private var keptCount = 0

    /** The boxes of [from] that no better one overlaps, best first, at most [max], become those of [to]. */
    fun suppress(from: Boxes, to: Boxes, max: Int) {
        scores.numbers = from.numbers
        sort.reset(from.count)
        sort.sort(from.count, scores)
        keptCount = 0
        to.reshape(minOf(from.count, max))
        for (rank in 0 until from.count) {
            if (keptCount == max) break
            val at = STRIDE * sort.order[rank]
            if (isCovered(from.numbers, at, to.numbers)) continue
            System.arraycopy(from.numbers, at, to.numbers, STRIDE * keptCount, STRIDE)
            keptCount++
        }
        to.reshape(keptCount)
    }

    private fun isCovered(numbers: FloatArray, at: Int, kept: FloatArray): Boolean {
        for (i in 0 until keptCount) {
            if (overlap(kept, STRIDE * i, numbers, at)) return true
        }
        return false
    }

    private fun overlap(a: FloatArray, i: Int, b: FloatArray, j: Int): Boolean {
        val width = minOf(a[i + 2], b[j + 2]).toDouble() - maxOf(a[i], b[j]).toDouble()
        val height = minOf(a[i + 3], b[j + 3]).toDouble() - maxOf(a[i + 1], b[j + 1]).toDouble()
        val shared = maxOf(width, 0.0) * maxOf(height, 0.0)
        return shared > iou * (area(a, i) + area(b, j) - shared)
    }

    private fun area(a: FloatArray, i: Int) =
        (a[i + 2].toDouble() - a[i].toDouble()) * (a[i + 3].toDouble() - a[i + 1].toDouble())
}

/** Highest score first, NaN last. */
internal class ScoresPrecede : Precedes {
    var numbers = FloatArray(0)

    override fun test(left: Int, right: Int): Boolean {
        val a = numbers[STRIDE * left + SCORE]
        val b = numbers[STRIDE * right + SCORE]
        return a > b || (b.isNaN() && !a.isNaN())
    }

    private companion object {
        const val SCORE = 4
    }
}
