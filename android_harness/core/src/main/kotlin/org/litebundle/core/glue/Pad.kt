package org.litebundle.core.glue

import org.litebundle.core.value.DType
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

private const val OP = "pad"

internal val pad = Operation(OP, listOf(Kind.TENSOR), listOf(Kind.TENSOR)) { attributes ->
    attributes.read(OP) { Pad(size("size"), real("value", 0.0)) }
}

private class Pad(private val size: Size, private val value: Double) : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val tensor = inputs[0] as Tensor
        val padded = outputs[0] as Tensor
        check(tensor)
        val channels = tensor.shape[3]
        padded.reshape(tensor.dtype, size.height, size.width, channels)
        fill(padded)
        val line = tensor.shape[2] * channels
        for (row in 0 until tensor.shape[1]) copy(tensor, row * line, padded, row * size.width * channels, line)
    }

    private fun check(tensor: Tensor) {
        val shape = tensor.shape
        val fits = shape.size == 4 && shape[0] == 1 && shape[1] in 1..size.height && shape[2] in 1..size.width
        if (!fits || shape[3] < 1) {
            refuse(OP, "tensor", tensor, "[1, h, w, ?] of at most ${size.height} x ${size.width}")
        }
        if (!canHold(tensor.dtype)) {
            throw GlueException(
                "$OP: ${tensor.dtype.id} cannot hold the value $value; pad the picture before normalize (letterbox " +
                    "with fill), or choose a whole number in range",
            )
        }
    }

    private fun canHold(dtype: DType): Boolean = when (dtype) {
        DType.FLOAT32 -> true
        DType.UINT8 -> isWhole(0.0, 255.0)
        DType.INT8 -> isWhole(Byte.MIN_VALUE.toDouble(), Byte.MAX_VALUE.toDouble())
        DType.INT32 -> isWhole(Int.MIN_VALUE.toDouble(), Int.MAX_VALUE.toDouble())
        else -> false
    }

    private fun isWhole(lowest: Double, highest: Double) = value in lowest..highest && value == Math.rint(value)

    private fun fill(padded: Tensor) = when (padded.dtype) {
        DType.FLOAT32 -> padded.floats.fill(value.toFloat(), 0, padded.size)
        DType.INT32 -> padded.ints.fill(value.toInt(), 0, padded.size)
        else -> padded.bytes.fill(value.toInt().toByte(), 0, padded.size)
    }

    private fun copy(from: Tensor, at: Int, to: Tensor, start: Int, count: Int) = when (from.dtype) {
        DType.FLOAT32 -> System.arraycopy(from.floats, at, to.floats, start, count)
        DType.INT32 -> System.arraycopy(from.ints, at, to.ints, start, count)
        else -> System.arraycopy(from.bytes, at, to.bytes, start, count)
    }
}
