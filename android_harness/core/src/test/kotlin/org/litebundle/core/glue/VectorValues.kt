package org.litebundle.core.glue

import org.junit.jupiter.api.Assertions.assertEquals
import org.litebundle.core.value.Boxes
import org.litebundle.core.value.DType
import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image
import org.litebundle.core.value.Index
import org.litebundle.core.value.Items
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Text
import org.litebundle.core.value.Tokens
import org.litebundle.core.value.Value

/** The value of a graph that [array] is as a [kind]. */
fun valueOf(array: VectorValue.Array, kind: Kind): Value = when (kind) {
    Kind.IMAGE -> Image().apply {
        reshape(array.shape[1], array.shape[0], array.shape[2])
        array.entries.forEachIndexed { i, entry -> pixels[i] = entry.toInt().toByte() }
    }

    Kind.TENSOR -> Tensor().apply {
        reshape(DType.of(array.dtype)!!, array.shape.toIntArray())
        array.entries.forEachIndexed { i, entry ->
            if (dtype == DType.FLOAT32) floats[i] = entry.toFloat() else bytes[i] = entry.toInt().toByte()
        }
    }

    Kind.BOXES -> Boxes().apply {
        reshape(array.shape[0])
        array.entries.forEachIndexed { i, entry -> numbers[i] = entry.toFloat() }
    }

    Kind.GEOMETRY -> Geometry().apply { array.entries.copyInto(numbers) }

    Kind.TOKENS -> Tokens().apply {
        reshape(array.shape[0])
        array.entries.forEachIndexed { i, entry -> ids[i] = entry.toInt() }
    }

    else -> error("$kind is no array")
}

/** What a vector file would hold for [value]. */
fun vectorValueOf(value: Value): VectorValue = when (value) {
    is Image -> VectorValue.Array(
        "uint8",
        listOf(value.height, value.width, value.channels),
        DoubleArray(value.size) { (value.pixels[it].toInt() and 0xff).toDouble() },
    )

    is Tensor -> VectorValue.Array(value.dtype.id, value.shape.toList(), DoubleArray(value.size) { entry(value, it) })

    is Boxes -> VectorValue.Array(
        "float32",
        listOf(value.count, Boxes.STRIDE),
        DoubleArray(value.count * Boxes.STRIDE) { value.numbers[it].toDouble() },
    )

    is Geometry -> VectorValue.Array("float64", listOf(value.numbers.size), value.numbers.copyOf())

    is Tokens -> VectorValue.Array("int32", listOf(value.count), DoubleArray(value.count) { value.ids[it].toDouble() })

    is Text -> VectorValue.Text(value.text.toString())

    is Index -> VectorValue.Number(value.index.toDouble())

    is Score -> VectorValue.Number(value.score)

    is Items -> VectorValue.Items((0 until value.count).map { vectorValueOf(value[it]) })
}

private fun entry(tensor: Tensor, i: Int): Double = when (tensor.dtype) {
    DType.FLOAT32 -> tensor.floats[i].toDouble()
    DType.UINT8 -> (tensor.bytes[i].toInt() and 0xff).toDouble()
    DType.INT8 -> tensor.bytes[i].toDouble()
    DType.INT32 -> tensor.ints[i].toDouble()
    else -> error("${tensor.dtype} is in no vector")
}

/** Equal, where −0 equals 0 and NaN equals NaN; numbers within [tolerance]. */
fun assertEqual(expected: VectorValue, actual: VectorValue, tolerance: Double, what: String) {
    when (expected) {
        is VectorValue.Text -> assertEquals(expected, actual, what)

        is VectorValue.Number -> assertNumber(expected.number, (actual as VectorValue.Number).number, tolerance, what)

        is VectorValue.Items -> {
            val items = (actual as VectorValue.Items).items
            assertEquals(expected.items.size, items.size, "$what: number of items")
            expected.items.forEachIndexed { i, item -> assertEqual(item, items[i], tolerance, "$what[$i]") }
        }

        is VectorValue.Array -> {
            val array = actual as VectorValue.Array
            assertEquals(expected.dtype, array.dtype, what)
            assertEquals(expected.shape, array.shape, what)
            for (i in expected.entries.indices) {
                assertNumber(
                    expected.entries[i],
                    array.entries[i],
                    tolerance,
                    "$what[$i]",
                )
            }
        }
    }
}

private fun assertNumber(expected: Double, actual: Double, tolerance: Double, what: String) {
    if (expected == actual || (expected.isNaN() && actual.isNaN())) return
    assertEquals(expected, actual, tolerance, what)
}
