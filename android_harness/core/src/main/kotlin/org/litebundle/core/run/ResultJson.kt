package org.litebundle.core.run

import org.litebundle.core.graph.Plain
import org.litebundle.core.json.Json
import org.litebundle.core.value.Boxes
import org.litebundle.core.value.DType
import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image
import org.litebundle.core.value.Index
import org.litebundle.core.value.Items
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Text
import org.litebundle.core.value.Tokens
import org.litebundle.core.value.Value
import org.litebundle.core.value.halfToDouble

private const val CORNERS = 4
private const val UNSIGNED = 0xFF

/** Entry [item] of a result's [value] (docs/bundle.md, "Results"): of boxes, the corners of row [item]. */
internal fun resultJson(value: Value, item: Int): Json = when (value) {
    is Items -> json(value[item])
    is Boxes -> row(value, item, CORNERS)
    else -> json(value)
}

private fun json(value: Value): Json = when (value) {
    is Text -> Json.Text(value.text.toString())

    is Score -> number(value.score)

    is Index -> number(value.index)

    is Tokens -> Json.Array(List(value.count) { number(value.ids[it]) })

    is Geometry -> Json.Array(value.numbers.map(::number))

    is Boxes -> Json.Array(List(value.count) { row(value, it, Boxes.STRIDE) })

    is Image -> nested(listOf(value.height, value.width, value.channels)) {
        number(value.pixels[it].toInt() and UNSIGNED)
    }

    is Tensor -> (Plain().of(value) as Tensor).let { plain -> nested(plain.shape.asList()) { element(plain, it) } }

    is Items -> Json.Array(List(value.count) { json(value[it]) })
}

private fun row(boxes: Boxes, i: Int, numbers: Int) =
    Json.Array(List(numbers) { number(boxes.numbers[i * Boxes.STRIDE + it].toDouble()) })

private fun element(tensor: Tensor, i: Int): Json = when (tensor.dtype) {
    DType.FLOAT32 -> number(tensor.floats[i].toDouble())
    DType.FLOAT16 -> number(halfToDouble(unsigned(tensor, 2 * i) or (unsigned(tensor, 2 * i + 1) shl Byte.SIZE_BITS)))
    DType.INT32 -> number(tensor.ints[i])
    DType.INT64 -> number(tensor.longs[i])
    DType.INT8 -> number(tensor.bytes[i].toInt())
    DType.UINT8 -> number(unsigned(tensor, i))
    DType.BOOL -> Json.Bool(tensor.bytes[i] != 0.toByte())
}

private fun unsigned(tensor: Tensor, i: Int) = tensor.bytes[i].toInt() and UNSIGNED

private fun nested(shape: List<Int>, at: Int = 0, element: (Int) -> Json): Json {
    if (shape.isEmpty()) return element(at)
    val inner = shape.drop(1)
    val stride = inner.fold(1, Int::times)
    return Json.Array(List(shape[0]) { nested(inner, at + it * stride, element) })
}

private fun number(value: Number) = Json.Number(value.toString())
