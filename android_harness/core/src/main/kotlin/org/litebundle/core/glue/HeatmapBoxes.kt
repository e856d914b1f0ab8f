package org.litebundle.core.glue

import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

private const val OP = "heatmap_boxes"
internal const val MAX_BOXES = 100
private const val KERNEL = 3
private const val SIDES = 4

internal val heatmapBoxes = Operation(
    OP,
    listOf(Kind.TENSOR, Kind.TENSOR, Kind.GEOMETRY, Kind.IMAGE),
    listOf(Kind.BOXES),
) { attributes ->
    attributes.read(OP) {
        HeatmapBoxes(
            threshold = real("threshold").toFloat(),
            max = count("max", MAX_BOXES),
            kernel = count("kernel", KERNEL).also { if (it % 2 == 0) refuse("kernel", "odd, so that it has a centre") },
            iou = fraction("iou", IOU),
        )
    }
}

private class HeatmapBoxes(private val threshold: Float, private val max: Int, kernel: Int, iou: Double) : Step {
    private val reach = kernel / 2
    private val found = BoxesInPicture()
    private val suppressor = Suppressor(iou)

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val heatmap = inputs[0] as Tensor
        val box = inputs[1] as Tensor
        val picture = inputs[3] as Image
        checkFloats(OP, "heatmap", heatmap, ANY, ANY, 1)
        val rows = heatmap.shape[1]
        val columns = heatmap.shape[2]
        checkFloats(OP, "box", box, rows, columns, SIDES)
        checkImage(OP, picture)
        found.begin(inputs[2] as Geometry, picture)
        for (row in 0 until rows) {
            for (column in 0 until columns) {
                if (isPeak(heatmap.floats, row, column, rows, columns)) {
                    add(heatmap.floats, box.floats, row, column, rows, columns)
                }
            }
        }
        suppressor.suppress(found.boxes, outputs[0] as Boxes, max)
    }

    private fun isPeak(scores: FloatArray, row: Int, column: Int, rows: Int, columns: Int): Boolean {
        val cell = row * columns + column
        val score = scores[cell]
        if (!(score >= threshold)) return false
        val left = maxOf(0, column - reach)
        val right = minOf(columns - 1, column + reach)
        for (r in maxOf(0, row - reach)..minOf(rows - 1, row + reach)) {
            for (other in r * columns + left..r * columns + right) {
                if (scores[other] > score || (other < cell && scores[other] == score)) return false
            }
        }
        return true
    }

    private fun add(scores: FloatArray, distances: FloatArray, row: Int, column: Int, rows: Int, columns: Int) {
        val cell = row * columns + column
        val x = (column + 0.5) / columns
        val y = (row + 0.5) / rows
        found.add(
            x0 = (x - distances[SIDES * cell]) * found.canvasWidth,
            y0 = (y - distances[SIDES * cell + 1]) * found.canvasHeight,
            x1 = (x + distances[SIDES * cell + 2]) * found.canvasWidth,
            y1 = (y + distances[SIDES * cell + 3]) * found.canvasHeight,
            score = scores[cell],
        )
    }
}
