package org.litebundle.core.glue

import org.litebundle.core.value.Image

/** The antialiased resize of docs/glue.md: two passes in fixed point, columns first and then rows. */
internal class Resizer {
    private val across = AxisWeights()
    private val down = AxisWeights()
    private var between = ByteArray(0)
    private var sums = IntArray(0)

    /** Resize [from] to [width] × [height] at column [left] and row [top] of [to], which has its size already. */
    fun resize(from: Image, to: Image, left: Int, top: Int, width: Int, height: Int) {
        val channels = from.channels
        val lineOut = width * channels
        val at = (top * to.width + left) * channels
        val strideOut = to.width * channels
        if (from.width == width) {
            blendRows(from.pixels, from.height, to.pixels, at, strideOut, height, lineOut)
            return
        }
        across.prepare(from.width, width)
        if (from.height == height) {
            blendColumns(from, to.pixels, at, strideOut, width)
            return
        }
        between = between.grown(from.height * lineOut)
        blendColumns(from, between, 0, lineOut, width)
        blendRows(between, from.height, to.pixels, at, strideOut, height, lineOut)
    }

    private fun blendColumns(from: Image, to: ByteArray, at: Int, strideOut: Int, width: Int) {
        for (row in 0 until from.height) {
            val line = row * from.width * from.channels
            if (from.channels == RGB) {
                blendColoursOfLine(from.pixels, line, to, at + row * strideOut, width)
            } else {
                blendGraysOfLine(from.pixels, line, to, at + row * strideOut, width)
            }
        }
    }

    private fun blendColoursOfLine(from: ByteArray, line: Int, to: ByteArray, at: Int, width: Int) {
        val first = across.first
        val starts = across.starts
        val weights = across.weights
        for (i in 0 until width) {
            var k = starts[i]
            var pixel = line + RGB * first[i]
            val end = starts[i + 1]
            var red = AxisWeights.HALF
            var green = AxisWeights.HALF
            var blue = AxisWeights.HALF
            // Two taps at a time take 0.8 of the time of one.
            while (k + 1 < end) {
                val weight = weights[k]
                val next = weights[k + 1]
                red += (from[pixel].toInt() and BYTE) * weight + (from[pixel + 3].toInt() and BYTE) * next
                green += (from[pixel + 1].toInt() and BYTE) * weight + (from[pixel + 4].toInt() and BYTE) * next
                blue += (from[pixel + 2].toInt() and BYTE) * weight + (from[pixel + 5].toInt() and BYTE) * next
                pixel += 2 * RGB
                k += 2
            }
            if (k < end) {
                red += (from[pixel].toInt() and BYTE) * weights[k]
                green += (from[pixel + 1].toInt() and BYTE) * weights[k]
                blue += (from[pixel + 2].toInt() and BYTE) * weights[k]
            }
            val out = at + RGB * i
            to[out] = (red shr AxisWeights.BITS).toByte()
            to[out + 1] = (green shr AxisWeights.BITS).toByte()
            to[out + 2] = (blue shr AxisWeights.BITS).toByte()
        }
    }

    private fun blendGraysOfLine(from: ByteArray, line: Int, to: ByteArray, at: Int, width: Int) {
        val first = across.first
        val starts = across.starts
        val weights = across.weights
        for (i in 0 until width) {
            val start = starts[i]
            val base = line + first[i] - start
            var gray = AxisWeights.HALF
            for (k in start until starts[i + 1]) gray += (from[base + k].toInt() and BYTE) * weights[k]
            to[at + i] = (gray shr AxisWeights.BITS).toByte()
        }
    }

    private fun blendRows(from: ByteArray, rows: Int, to: ByteArray, at: Int, strideOut: Int, height: Int, line: Int) {
        if (rows == height) {
            for (row in 0 until rows) System.arraycopy(from, row * line, to, at + row * strideOut, line)
            return
        }
        down.prepare(rows, height)
        sums = sums.grown(line)
        for (row in 0 until height) blendLines(from, row, to, at + row * strideOut, line)
    }

    /** One line after another into sums: faster than one pixel after another, which jumps from line to line. */
    private fun blendLines(from: ByteArray, row: Int, to: ByteArray, at: Int, line: Int) {
        val sums = sums
        val first = down.first[row]
        val start = down.starts[row]
        sums.fill(AxisWeights.HALF, 0, line)
        for (k in start until down.starts[row + 1]) {
            val weight = down.weights[k]
            val base = (first + k - start) * line
            for (x in 0 until line) sums[x] += (from[base + x].toInt() and BYTE) * weight
        }
        for (x in 0 until line) to[at + x] = (sums[x] shr AxisWeights.BITS).toByte()
    }

    private companion object {
        const val BYTE = 0xff
    }
}
