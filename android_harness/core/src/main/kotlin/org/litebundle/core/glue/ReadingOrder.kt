package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Boxes.Companion.STRIDE

/** Sorts boxes into lines from the top, and each line from the left (docs/glue.md, "dbnet_boxes", step 6). */
internal class ReadingOrder {
    private val sort = StableSort()
    private var numbers = FloatArray(0)
    private var lines = IntArray(0)
    private val fromTop = Precedes { left, right ->
        val a = STRIDE * left
        val b = STRIDE * right
        numbers[a + 1] < numbers[b + 1] || (numbers[a + 1] == numbers[b + 1] && numbers[a] < numbers[b])
    }
    private val byLine = Precedes { left, right ->
        lines[left] < lines[right] || (lines[left] == lines[right] && numbers[STRIDE * left] < numbers[STRIDE * right])
    }

    fun sort(from: Boxes, to: Boxes) {
        numbers = from.numbers
        lines = lines.grown(from.count)
        sort.reset(from.count)
        sort.sort(from.count, fromTop)
        number(from.count)
        sort.sort(from.count, byLine)
        to.reshape(from.count)
        for (rank in 0 until from.count) {
            System.arraycopy(numbers, STRIDE * sort.order[rank], to.numbers, STRIDE * rank, STRIDE)
        }
    }

    /** From the top down, a box begins a new line unless its top is above the centre of the line's first box. */
    private fun number(count: Int) {
        var line = -1
        var centre = Double.NEGATIVE_INFINITY
        for (rank in 0 until count) {
            val box = sort.order[rank]
            val top = numbers[STRIDE * box + 1].toDouble()
            if (top >= centre) {
                line++
                centre = (top + numbers[STRIDE * box + 3]) / 2
            }
            lines[box] = line
        }
    }
}
