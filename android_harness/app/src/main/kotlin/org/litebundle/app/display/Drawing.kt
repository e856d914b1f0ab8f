package org.litebundle.app.display

/** An item of a result as it is drawn: [box] is x0, y0, x1, y1 in pixels of the photo. */
data class DrawnItem(val id: String, val box: List<Float>, val label: String) {
    fun holds(x: Float, y: Float) = x in box[0]..box[2] && y in box[1]..box[3]
}

/** What the overlay shows of a result: where its items are in a photo of [photoWidth] × [photoHeight] pixels. */
data class Drawing(
    val photoWidth: Int,
    val photoHeight: Int,
    val items: List<DrawnItem>,
    /** The counter of the strip that a mirror shows to the camera; null: no strip. */
    val counter: Long?,
) {
    /** The item at this point of a view that shows the photo whole; the smallest where several overlap. */
    fun itemAt(x: Float, y: Float, viewWidth: Int, viewHeight: Int): DrawnItem? {
        val px = x * photoWidth / viewWidth
        val py = y * photoHeight / viewHeight
        return items.filter { it.holds(px, py) }.minByOrNull { (it.box[2] - it.box[0]) * (it.box[3] - it.box[1]) }
    }

    /**
     * Where the middle of all items lies between the first row of the sensor (0) and its last (1), if the photo is what
     * the sensor saw, turned clockwise by [turn] degrees; the middle row if there are none.
     */
    fun sensorRow(turn: Int): Double {
        if (items.isEmpty()) return 0.5
        val x = items.map { (it.box[0] + it.box[2]) / 2.0 }.average() / photoWidth
        val y = items.map { (it.box[1] + it.box[3]) / 2.0 }.average() / photoHeight
        val row = when (turn) {
            90 -> 1 - x
            180 -> 1 - y
            270 -> x
            else -> y
        }
        return row.coerceIn(0.0, 1.0)
    }
}
