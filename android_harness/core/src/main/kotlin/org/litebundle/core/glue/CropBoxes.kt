package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Image
import org.litebundle.core.value.Items
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value
import kotlin.math.ceil
import kotlin.math.floor

private const val OP = "crop_boxes"

internal val cropBoxes = Operation(
    OP,
    listOf(Kind.IMAGE, Kind.BOXES),
    listOf(Kind.IMAGE, Kind.BOXES),
) { attributes ->
    attributes.read(OP) { CropBoxes(notNegative("margin", 0.0), count("min_size", 1)) }
}

private class CropBoxes(private val margin: Double, private val minSize: Int) : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val picture = inputs[0] as Image
        val boxes = inputs[1] as Boxes
        val crops = outputs[0] as Items
        val kept = outputs[1] as Boxes
        checkImage(OP, picture)
        crops.reshape(0)
        kept.reshape(0)
        for (i in 0 until boxes.count) crop(picture, boxes.numbers, Boxes.STRIDE * i, crops, kept)
    }

    private fun crop(picture: Image, numbers: FloatArray, at: Int, crops: Items, kept: Boxes) {
        val x0 = numbers[at].toDouble()
        val y0 = numbers[at + 1].toDouble()
        val x1 = numbers[at + 2].toDouble()
        val y1 = numbers[at + 3].toDouble()
        // A sum is finite if its terms are, and a double has room for the sum of four floats.
        if (!(x0 + y0 + x1 + y1).isFinite() || x1 <= x0 || y1 <= y0) return
        val around = margin * minOf(x1 - x0, y1 - y0)
        val left = within(floor(x0 - around), picture.width)
        val right = within(ceil(x1 + around), picture.width)
        val top = within(floor(y0 - around), picture.height)
        val bottom = within(ceil(y1 + around), picture.height)
        if (right - left < minSize || bottom - top < minSize) return
        val count = crops.count
        crops.reshape(count + 1)
        copy(picture, crops[count] as Image, left, top, right - left, bottom - top)
        kept.reshape(count + 1)
        System.arraycopy(numbers, at, kept.numbers, Boxes.STRIDE * count, Boxes.STRIDE)
    }

    private fun within(edge: Double, side: Int) = minOf(side.toDouble(), maxOf(0.0, edge)).toInt()

    private fun copy(picture: Image, crop: Image, left: Int, top: Int, width: Int, height: Int) {
        crop.reshape(width, height, picture.channels)
        val line = width * picture.channels
        for (row in 0 until height) {
            val from = ((top + row) * picture.width + left) * picture.channels
            System.arraycopy(picture.pixels, from, crop.pixels, row * line, line)
        }
    }
}
