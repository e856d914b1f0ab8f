package org.litebundle.core.frame

import org.litebundle.core.glue.GlueException
import org.litebundle.core.glue.MAX_SIDE
import org.litebundle.core.glue.RGB
import org.litebundle.core.value.Image

private const val BITS = 16
private const val HALF = 1 shl (BITS - 1)
private const val BYTE = 0xff
private const val CHROMA_ZERO = 128
private const val QUARTER = 90

/** Factors with 16 bits behind the point, from the table of docs/glue.md, "Camera frames". */
private class Factors(
    val black: Int,
    val luma: Int,
    val redOfV: Int,
    val greenOfU: Int,
    val greenOfV: Int,
    val blueOfU: Int,
)

private val BT601_FULL = Factors(0, 65536, 91881, 22553, 46802, 116130)
private val BT601_LIMITED = Factors(16, 76309, 104597, 25675, 53279, 132201)
private val BT709_FULL = Factors(0, 65536, 103206, 12276, 30679, 121609)
private val BT709_LIMITED = Factors(16, 76309, 117489, 13975, 34925, 138438)

private fun factors(from: YuvImage) = when (from.standard) {
    ColorStandard.BT601 -> if (from.range == ColorRange.FULL) BT601_FULL else BT601_LIMITED
    ColorStandard.BT709 -> if (from.range == ColorRange.FULL) BT709_FULL else BT709_LIMITED
}

/**
 * Makes the photo from a camera frame, as docs/glue.md defines in "Camera frames".
 *
 * It keeps its memory from one frame to the next; one thread at a time.
 */
class YuvToRgb {
    private val luma = PlaneRows("y")
    private val blueDifference = PlaneRows("u")
    private val redDifference = PlaneRows("v")

    // What the chroma of a row adds to red, green and blue, per chroma column; the rounding is in it.
    private var reds = IntArray(0)
    private var greens = IntArray(0)
    private var blues = IntArray(0)

    /**
     * [to] becomes [from] in RGB, turned clockwise by [orientation] degrees: 0, 90, 180 or 270, what
     * `CameraCharacteristics.SENSOR_ORIENTATION` says. The positions of the planes' buffers stay.
     *
     * Throws [GlueException] if a plane ends before its last sample, or a number is out of its range.
     */
    fun convert(from: YuvImage, to: Image, orientation: Int = 0) {
        val width = from.width
        val height = from.height
        if (width !in 1..MAX_SIDE || height !in 1..MAX_SIDE) {
            throw GlueException("a camera frame is $width x $height pixels; each side must be 1 to $MAX_SIDE")
        }
        val chromaWidth = (width + 1) / 2
        luma.open(from.y, width, height)
        blueDifference.open(from.u, chromaWidth, (height + 1) / 2)
        redDifference.open(from.v, chromaWidth, (height + 1) / 2)
        if (reds.size < chromaWidth) {
            reds = IntArray(chromaWidth)
            greens = IntArray(chromaWidth)
            blues = IntArray(chromaWidth)
        }
        // Pixel (row, column) goes to pixel origin + row · perRow + column · perColumn.
        when (orientation) {
            0 -> convert(from, to, width, height, 0, width, 1)
            QUARTER -> convert(from, to, height, width, height - 1, -1, height)
            2 * QUARTER -> convert(from, to, width, height, width * height - 1, -width, -1)
            3 * QUARTER -> convert(from, to, height, width, height * (width - 1), 1, -height)
            else -> throw GlueException("orientation is $orientation; it must be 0, 90, 180 or 270 degrees")
        }
    }

    private fun convert(from: YuvImage, to: Image, width: Int, height: Int, origin: Int, perRow: Int, perColumn: Int) {
        val factors = factors(from)
        to.reshape(width, height, RGB)
        for (row in 0 until from.height) {
            if (row % 2 == 0) readChroma(row / 2, (from.width + 1) / 2, factors)
            luma.read(row)
            convertRow(from.width, factors, to.pixels, RGB * (origin + row * perRow), RGB * perColumn)
        }
    }

    private fun readChroma(row: Int, columns: Int, factors: Factors) {
        blueDifference.read(row)
        redDifference.read(row)
        val u = blueDifference.row
        val v = redDifference.row
        val uStep = blueDifference.step
        val vStep = redDifference.step
        for (i in 0 until columns) {
            val cb = (u[i * uStep].toInt() and BYTE) - CHROMA_ZERO
            val cr = (v[i * vStep].toInt() and BYTE) - CHROMA_ZERO
            reds[i] = factors.redOfV * cr + HALF
            greens[i] = HALF - factors.greenOfU * cb - factors.greenOfV * cr
            blues[i] = factors.blueOfU * cb + HALF
        }
    }

    private fun convertRow(width: Int, factors: Factors, to: ByteArray, start: Int, step: Int) {
        val y = luma.row
        val yStep = luma.step
        val black = factors.black
        val scale = factors.luma
        for (i in 0 until width) {
            val light = scale * ((y[i * yStep].toInt() and BYTE) - black)
            val at = start + i * step
            to[at] = level(light + reds[i shr 1])
            to[at + 1] = level(light + greens[i shr 1])
            to[at + 2] = level(light + blues[i shr 1])
        }
    }

    private fun level(sum: Int): Byte = maxOf(0, minOf(BYTE, sum shr BITS)).toByte()
}
