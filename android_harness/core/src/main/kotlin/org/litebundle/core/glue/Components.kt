package org.litebundle.core.glue

/**
 * Cells over a threshold that touch by a side or a corner, joined; numbered from 0 in the row-major order of their
 * first cells. Two passes over the map with union by the lowest label (Rosenfeld and Pfaltz, 1966).
 */
internal class Components {
    private var labels = IntArray(0)
    private var parents = IntArray(0)
    private var labelCount = 0
    var count = 0
        private set

    /** Columns and rows of the component's rectangle; the last ones are one past. */
    var firstColumn = IntArray(0)
        private set
    var firstRow = IntArray(0)
        private set
    var endColumn = IntArray(0)
        private set
    var endRow = IntArray(0)
        private set

    /** Values of the component's cells, added in row-major order. */
    var sum = DoubleArray(0)
        private set
    var cells = IntArray(0)
        private set

    /** Find the components of the [rows] · [columns] first of [values]. */
    fun find(values: FloatArray, rows: Int, columns: Int, threshold: Float) {
        labels = labels.grown(rows * columns)
        // Of four cells in a square, at most one begins a label: the others touch it.
        parents = parents.grown(((rows + 1) / 2) * ((columns + 1) / 2))
        labelCount = 0
        for (row in 0 until rows) {
            for (column in 0 until columns) {
                val cell = row * columns + column
                labels[cell] = if (values[cell] > threshold) label(row, column, columns) else NONE
            }
        }
        number()
        for (row in 0 until rows) {
            for (column in 0 until columns) {
                val cell = row * columns + column
                if (labels[cell] != NONE) add(parents[labels[cell]], row, column, values[cell])
            }
        }
    }

    private fun label(row: Int, column: Int, columns: Int): Int {
        val cell = row * columns + column
        var label = if (column > 0) labels[cell - 1] else NONE
        if (row > 0) {
            for (above in maxOf(0, column - 1)..minOf(columns - 1, column + 1)) {
                label = joined(label, labels[cell - columns + above - column])
            }
        }
        if (label != NONE) return label
        parents[labelCount] = labelCount
        return labelCount++
    }

    private fun joined(a: Int, b: Int): Int {
        if (a == NONE) return b
        if (b == NONE) return a
        val rootA = root(a)
        val rootB = root(b)
        val lowest = minOf(rootA, rootB)
        parents[maxOf(rootA, rootB)] = lowest
        return lowest
    }

    private fun root(label: Int): Int {
        var at = label
        while (parents[at] != at) {
            parents[at] = parents[parents[at]]
            at = parents[at]
        }
        return at
    }

    /** Replace each label's parent by the number of its component: a root comes before its labels. */
    private fun number() {
        count = 0
        for (label in 0 until labelCount) {
            parents[label] = if (parents[label] == label) count++ else parents[parents[label]]
        }
        firstColumn = firstColumn.grown(count)
        firstRow = firstRow.grown(count)
        endColumn = endColumn.grown(count)
        endRow = endRow.grown(count)
        sum = sum.grown(count)
        cells = cells.grown(count)
        cells.fill(0, 0, count)
    }

    private fun add(component: Int, row: Int, column: Int, value: Float) {
        if (cells[component] == 0) {
            firstColumn[component] = column
            endColumn[component] = column + 1
            firstRow[component] = row
            sum[component] = 0.0
        }
        firstColumn[component] = minOf(firstColumn[component], column)
        endColumn[component] = maxOf(endColumn[component], column + 1)
        endRow[component] = row + 1
        sum[component] += value.toDouble()
        cells[component]++
    }

    private companion object {
        const val NONE = -1
    }
}
