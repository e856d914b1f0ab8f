package org.litebundle.core.golden

import org.litebundle.core.json.Json
import kotlin.math.abs

/** Result items against expected ones: numbers of a field within its tolerance, all else equal. */
internal class ItemComparison(
    found: List<Map<String, Json>>,
    expected: List<Map<String, Json>>,
    private val tolerance: Map<String, Double>,
) {
    val maxAbs = LinkedHashMap<String, Double>()
    private val faults = ArrayList<String>()
    val fault: String get() = faults.joinToString("; ")

    init {
        if (found.size != expected.size) {
            faults += "${found.size} items were found, expected are ${expected.size}"
        } else {
            for (i in found.indices) compare(i, found[i], expected[i])
        }
    }

    private fun compare(item: Int, found: Map<String, Json>, expected: Map<String, Json>) {
        for (field in (found.keys + expected.keys).sorted()) {
            val off = difference(found[field], expected[field], isNumeric = field in tolerance)
            maxAbs[field] = maxOf(maxAbs[field] ?: 0.0, off)
            if (!(off <= (tolerance[field] ?: 0.0))) {
                faults += "item $item: $field is ${found[field]}, expected is ${expected[field]}"
            }
        }
    }

    /** 0 if equal, the greatest difference of numbers if [isNumeric], else infinity. */
    private fun difference(found: Json?, expected: Json?, isNumeric: Boolean): Double = when {
        found is Json.Number && expected is Json.Number -> {
            val off = abs(found.value - expected.value)
            if (off == 0.0 || isNumeric) off else Double.POSITIVE_INFINITY
        }

        found is Json.Array && expected is Json.Array && found.items.size == expected.items.size ->
            found.items.indices.maxOfOrNull { difference(found.items[it], expected.items[it], isNumeric) } ?: 0.0

        else -> if (found == expected) 0.0 else Double.POSITIVE_INFINITY
    }
}
