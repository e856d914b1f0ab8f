package org.litebundle.app.display

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.run.Result
import org.litebundle.core.value.Kind
import java.util.UUID
import kotlin.math.max
import kotlin.math.min

/**
 * Makes drawings of a bundle's results: its boxes, with all that its items say in words, or their scores if they have no
 * words. An item that stays where it was and says the same keeps its id from one drawing to the next. One thread at a time.
 */
class Drawer(bundle: Bundle, run: String) {
    private val fields = bundle.manifest.graph.results
    private val kinds = fields.associate { it.field to bundle.graph.kinds.getValue(it.value) }
    private val boxField = fieldsOf(Kind.BOXES).firstOrNull()
    private val textFields = fieldsOf(Kind.TEXT)
    private val scoreFields = fieldsOf(Kind.SCORE)
    private val corners = FloatArray(4)
    private var before: List<DrawnItem> = emptyList()
    private var items = 0L

    /** A run may be done again under its name, and then shows other results. */
    private val session = "$run/${UUID.randomUUID()}"

    private fun fieldsOf(kind: Kind) = fields.map { it.field }.filter { kinds[it] == kind }

    fun draw(result: Result, photoWidth: Int, photoHeight: Int, counter: Long?): Drawing {
        val found = List(result.count) { item(result, it, photoWidth.toFloat(), photoHeight.toFloat()) }
        before = found
        return Drawing(photoWidth, photoHeight, found, counter)
    }

    /** Without boxes, an item is about the whole photo. */
    private fun item(result: Result, item: Int, width: Float, height: Float): DrawnItem {
        val box = if (boxField == null) listOf(0f, 0f, width, height) else box(result, item, boxField)
        val label = label(result, item)
        val same = before.find { it.label == label && overlap(it.box, box) >= SAME }
        return DrawnItem(same?.id ?: "$session/${items++}", box, label)
    }

    private fun box(result: Result, item: Int, field: String): List<Float> {
        result.box(item, field, corners)
        return corners.toList()
    }

    private fun label(result: Result, item: Int): String = when {
        textFields.isNotEmpty() -> textFields.joinToString(" ") { result.text(item, it) }
        else -> scoreFields.joinToString(" ") { "%.2f".format(result.score(item, it)) }
    }

    private companion object {
        const val SAME = 0.3f

        /** Intersection over union. */
        fun overlap(a: List<Float>, b: List<Float>): Float {
            val width = min(a[2], b[2]) - max(a[0], b[0])
            val height = min(a[3], b[3]) - max(a[1], b[1])
            if (width <= 0 || height <= 0) return 0f
            val shared = width * height
            return shared / (area(a) + area(b) - shared)
        }

        fun area(box: List<Float>) = (box[2] - box[0]) * (box[3] - box[1])
    }
}
