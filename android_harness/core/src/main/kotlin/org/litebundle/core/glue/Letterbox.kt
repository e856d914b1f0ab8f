package org.litebundle.core.glue

import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

private const val OP = "letterbox"
private const val WHITE = 255
private const val FILL = 114

internal val letterbox = Operation(OP, listOf(Kind.IMAGE), listOf(Kind.IMAGE, Kind.GEOMETRY)) { attributes ->
    attributes.read(OP) {
        Letterbox(
            size = size("size"),
            fill = whole("fill", 0..WHITE, FILL).toByte(),
            isCentred = choice("align", listOf("center", "left"), "center") == "center",
        )
    }
}

/** [side] · [numerator] / [denominator] to the nearest whole number, ties up, at least 1. */
internal fun scaledSide(side: Int, numerator: Int, denominator: Int): Int =
    maxOf(1, ((2L * side * numerator + denominator) / (2L * denominator)).toInt())

private class Letterbox(private val size: Size, private val fill: Byte, private val isCentred: Boolean) : Step {
    private val resizer = Resizer()

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val image = inputs[0] as Image
        val canvas = outputs[0] as Image
        checkImage(OP, image)
        val isWide = size.width.toLong() * image.height <= size.height.toLong() * image.width
        val width = if (isWide) size.width else scaledSide(image.width, size.height, image.height)
        val height = if (isWide) scaledSide(image.height, size.width, image.width) else size.height
        val top = (size.height - height) / 2
        val left = if (isCentred) (size.width - width) / 2 else 0
        canvas.reshape(size.width, size.height, image.channels)
        if (width != size.width || height != size.height) canvas.pixels.fill(fill, 0, canvas.size)
        resizer.resize(image, canvas, left, top, width, height)
        place(
            (outputs[1] as Geometry).numbers,
            width.toDouble() / image.width,
            height.toDouble() / image.height,
            left,
            top,
        )
    }

    private fun place(geometry: DoubleArray, scaleX: Double, scaleY: Double, left: Int, top: Int) {
        geometry[0] = scaleX
        geometry[1] = scaleY
        geometry[2] = left.toDouble()
        geometry[3] = top.toDouble()
        geometry[4] = size.width.toDouble()
        geometry[5] = size.height.toDouble()
    }
}
