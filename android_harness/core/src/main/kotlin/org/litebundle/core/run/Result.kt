package org.litebundle.core.run

import org.litebundle.core.graph.ResultField
import org.litebundle.core.graph.RunException
import org.litebundle.core.json.Json
import org.litebundle.core.value.Boxes
import org.litebundle.core.value.Index
import org.litebundle.core.value.Items
import org.litebundle.core.value.Score
import org.litebundle.core.value.Text
import org.litebundle.core.value.Value

/**
 * What a pipeline found in one photo (docs/bundle.md, "Results"): [count] items, each with all [fields].
 *
 * It is a view of the runner's memory: it holds until the next run, and reading it allocates nothing ([toJson] does).
 */
class Result internal constructor(results: List<ResultField>, value: (String) -> Value) {
    val fields: List<String> = results.map { it.field }
    private val values = Array(results.size) { value(results[it].value) }

    /** How many things were found; 1 where the pipeline finds no boxes. */
    var count = 0
        private set

    /** Throws [RunException] if the fields differ in their number of items. */
    internal fun update() {
        var found = -1
        for (value in values) {
            val size = sizeOf(value)
            if (size >= 0 && found >= 0 &&
                size != found
            ) {
                throw RunException("the result fields differ in their number of items: ${sizes()}")
            }
            if (size >= 0) found = size
        }
        count = if (found < 0) 1 else found
    }

    fun text(item: Int, field: String): CharSequence = (entry(item, field) as Text).text

    /** Class index, such as that of `rotate_upright`. */
    fun index(item: Int, field: String): Int = (entry(item, field) as Index).index

    fun score(item: Int, field: String): Double = (entry(item, field) as Score).score

    /** x0, y0, x1, y1 in pixels of the photo, into [corners]. */
    fun box(item: Int, field: String, corners: FloatArray) {
        val boxes = value(field) as Boxes
        require(item in 0 until count) { "there is no item $item; there are $count" }
        System.arraycopy(boxes.numbers, item * Boxes.STRIDE, corners, 0, CORNERS)
    }

    /** The items as the golden vectors have them: a list of objects, field → value. */
    fun toJson(): Json.Array = Json.Array(
        List(count) { item ->
            Json.Object(fields.indices.associate { i -> fields[i] to resultJson(values[i], item) })
        },
    )

    private fun entry(item: Int, field: String): Value {
        require(item in 0 until count) { "there is no item $item; there are $count" }
        val value = value(field)
        return if (value is Items) value[item] else value
    }

    private fun value(field: String): Value {
        val place = fields.indexOf(field)
        require(place >= 0) { "the result has no field '$field'; it has $fields" }
        return values[place]
    }

    private fun sizes() = fields.indices.filter {
        sizeOf(values[it]) >= 0
    }.associate { fields[it] to sizeOf(values[it]) }

    private companion object {
        const val CORNERS = 4

        /** Number of items that a value brings, -1 where it is the same in all. */
        fun sizeOf(value: Value) = when (value) {
            is Items -> value.count
            is Boxes -> value.count
            else -> -1
        }
    }
}
