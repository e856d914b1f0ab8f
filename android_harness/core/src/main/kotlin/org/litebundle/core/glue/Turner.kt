package org.litebundle.core.glue

import org.litebundle.core.value.Image

/** Quarter turns of a picture. */
internal class Turner {
    /** [to] becomes [from] turned clockwise by [quarters] · 90 degrees, 0 to 3. */
    fun turn(from: Image, to: Image, quarters: Int) {
        when (quarters) {
            0 -> {
                to.reshape(from.width, from.height, from.channels)
                System.arraycopy(from.pixels, 0, to.pixels, 0, from.size)
            }

            1 -> copy(from, to, from.height, from.width, from.width * (from.height - 1), 1, -from.width)

            2 -> copy(from, to, from.width, from.height, from.width * from.height - 1, -from.width, -1)

            else -> copy(from, to, from.height, from.width, from.width - 1, -1, from.width)
        }
    }

    /** Pixel (row, column) of [to] is pixel [origin] + row · [perRow] + column · [perColumn] of [from]. */
    private fun copy(from: Image, to: Image, width: Int, height: Int, origin: Int, perRow: Int, perColumn: Int) {
        to.reshape(width, height, from.channels)
        for (row in 0 until height) {
            val start = origin + row * perRow
            if (from.channels == RGB) {
                copyColours(from.pixels, start, perColumn, to.pixels, row * width, width)
            } else {
                copyGrays(from.pixels, start, perColumn, to.pixels, row * width, width)
            }
        }
    }

    private fun copyColours(from: ByteArray, start: Int, step: Int, to: ByteArray, at: Int, count: Int) {
        for (i in 0 until count) {
            val source = RGB * (start + i * step)
            val target = RGB * (at + i)
            to[target] = from[source]
            to[target + 1] = from[source + 1]
            to[target + 2] = from[source + 2]
        }
    }

    private fun copyGrays(from: ByteArray, start: Int, step: Int, to: ByteArray, at: Int, count: Int) {
        for (i in 0 until count) to[at + i] = from[start + i * step]
    }
}
