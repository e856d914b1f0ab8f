package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Boxes.Companion.STRIDE
import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

private const val OP = "dbnet_boxes"

internal val dbnetBoxes = Operation(
    OP,
    listOf(Kind.TENSOR, Kind.GEOMETRY, Kind.IMAGE),
    listOf(Kind.BOXES),
) { attributes ->
    attributes.read(OP) {
        DbnetBoxes(
            threshold = real("threshold", 0.3).toFloat(),
            score = real("score", 0.5),
            unclip = notNegative("unclip", 1.6),
            minSide = notNegative("min_side", 3.0),
            max = count("max", MAX_BOXES),
        )
    }
}

private class DbnetBoxes(
    private val threshold: Float,
    private val score: Double,
    private val unclip: Double,
    private val minSide: Double,
    private val max: Int,
) : Step {
    private val components = Components()
    private val found = BoxesInPicture()
    private val best = BestBoxes()
    private val reading = ReadingOrder()

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val map = inputs[0] as Tensor
        val picture = inputs[2] as Image
        checkFloats(OP, "map", map, ANY, ANY, 1)
        checkImage(OP, picture)
        found.begin(inputs[1] as Geometry, picture)
        val rows = map.shape[1]
        val columns = map.shape[2]
        components.find(map.floats, rows, columns, threshold)
        for (i in 0 until components.count) add(i, found.canvasWidth / columns, found.canvasHeight / rows)
        best.keep(found.boxes, max)
        reading.sort(found.boxes, outputs[0] as Boxes)
    }

    private fun add(i: Int, perColumn: Double, perRow: Double) {
        val x0 = components.firstColumn[i]
        val y0 = components.firstRow[i]
        val x1 = components.endColumn[i]
        val y1 = components.endRow[i]
        val mean = components.sum[i] / components.cells[i]
        if (minOf(x1 - x0, y1 - y0) < minSide || !(mean > score)) return
        val grow = (x1 - x0).toDouble() * (y1 - y0) * unclip / (2.0 * (x1 - x0 + y1 - y0))
        found.add(
            x0 = (x0 - grow) * perColumn,
            y0 = (y0 - grow) * perRow,
            x1 = (x1 + grow) * perColumn,
            y1 = (y1 + grow) * perRow,
            score = mean.toFloat(),
        )
    }
}

/** Thins boxes to those with the highest scores; these keep their order. */
private class BestBoxes {
    private val sort = StableSort()
    private val scores = ScoresPrecede()
    private var isBest = BooleanArray(0)

    fun keep(boxes: Boxes, max: Int) {
        if (boxes.count <= max) return
        scores.numbers = boxes.numbers
        sort.reset(boxes.count)
        sort.sort(boxes.count, scores)
        if (isBest.size < boxes.count) isBest = BooleanArray(boxes.count)
        isBest.fill(false, 0, boxes.count)
        for (rank in 0 until max) isBest[sort.order[rank]] = true
        var kept = 0
        for (i in 0 until boxes.count) {
            if (isBest[i]) System.arraycopy(boxes.numbers, STRIDE * i, boxes.numbers, STRIDE * kept++, STRIDE)
        }
        boxes.reshape(kept)
    }
}
