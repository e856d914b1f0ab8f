package org.litebundle.core.glue

/** Whether item [left] must stand before item [right]; false for equal ones. */
internal fun interface Precedes {
    fun test(left: Int, right: Int): Boolean
}

/** A merge sort of item numbers that keeps the order of equal items, and its memory from one sort to the next. */
internal class StableSort {
    /** The item numbers, the first `count` of them. A sort goes on from the order that is here. */
    var order = IntArray(0)
        private set
    private var spare = IntArray(0)

    /** Set [order] to 0 … [count] − 1. */
    fun reset(count: Int) {
        order = order.grown(count)
        for (i in 0 until count) order[i] = i
    }

    fun sort(count: Int, precedes: Precedes) {
        spare = spare.grown(order.size)
        var width = 1
        while (width < count) {
            var start = 0
            while (start < count) {
                merge(start, minOf(start + width, count), minOf(start + 2 * width, count), precedes)
                start += 2 * width
            }
            val sorted = spare
            spare = order
            order = sorted
            width *= 2
        }
    }

    private fun merge(start: Int, middle: Int, end: Int, precedes: Precedes) {
        var left = start
        var right = middle
        for (out in start until end) {
            val takeRight = left == middle || (right < end && precedes.test(order[right], order[left]))
            spare[out] = if (takeRight) order[right++] else order[left++]
        }
    }
}
