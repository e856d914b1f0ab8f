package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image

/** Collects boxes from the canvas of a geometry on the picture that was placed there (docs/glue.md, "Geometry"). */
internal class BoxesInPicture {
    private var geometry = DoubleArray(0)
    private var width = 0.0
    private var height = 0.0
    val boxes = Boxes()

    val canvasWidth get() = geometry[4]
    val canvasHeight get() = geometry[5]

    fun begin(geometry: Geometry, picture: Image) {
        this.geometry = geometry.numbers
        width = picture.width.toDouble()
        height = picture.height.toDouble()
        boxes.reshape(0)
    }

    /** Add a box given by its corners on the canvas, unless nothing of it is in the picture or a side is NaN. */
    fun add(x0: Double, y0: Double, x1: Double, y1: Double, score: Float) {
        val left = onto(x0, 0, width)
        val top = onto(y0, 1, height)
        val right = onto(x1, 0, width)
        val bottom = onto(y1, 1, height)
        if (!(right > left && bottom > top)) return
        val at = Boxes.STRIDE * boxes.count
        boxes.reshape(boxes.count + 1)
        val numbers = boxes.numbers
        numbers[at] = left
        numbers[at + 1] = top
        numbers[at + 2] = right
        numbers[at + 3] = bottom
        numbers[at + 4] = score
    }

    private fun onto(placed: Double, axis: Int, limit: Double): Float =
        minOf(limit, maxOf(0.0, (placed - geometry[2 + axis]) / geometry[axis])).toFloat()
}
