package org.litebundle.core.golden

import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.value.DType
import org.litebundle.core.value.halfToDouble
import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val UNSIGNED = 0xFF

/** The raw values of [tensor] in [bytes], little-endian in C order, as the real numbers they stand for. */
internal class RawNumbers(private val tensor: TensorSpec, bytes: ByteBuffer) {
    private val bytes = bytes.duplicate().order(ByteOrder.LITTLE_ENDIAN)

    fun real(i: Int): Double {
        val raw = raw(i)
        val (scale, zeroPoint) = tensor.quantization ?: return raw
        return ((raw - zeroPoint).toFloat() * scale).toDouble()
    }

    private fun raw(i: Int): Double = when (tensor.dtype) {
        DType.FLOAT32 -> bytes.getFloat(Float.SIZE_BYTES * i).toDouble()
        DType.FLOAT16 -> halfToDouble(bytes.getShort(Short.SIZE_BYTES * i).toInt())
        DType.INT32 -> bytes.getInt(Int.SIZE_BYTES * i).toDouble()
        DType.INT64 -> bytes.getLong(Long.SIZE_BYTES * i).toDouble()
        DType.INT8 -> bytes.get(i).toDouble()
        DType.UINT8, DType.BOOL -> (bytes.get(i).toInt() and UNSIGNED).toDouble()
    }
}
