package org.litebundle.core.glue

import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization

private const val UINT8_MAX = 255
private const val SIGN = 0x80

/**
 * The first [count] of [reals] as raw numbers of [dtype] (INT8 or UINT8) into [raw]; docs/glue.md, "The border of a
 * quantized model". Throws [GlueException] if one is NaN.
 */
fun quantize(reals: FloatArray, count: Int, to: Quantization, dtype: DType, raw: ByteArray) {
    val scale = to.scale.toDouble()
    val zeroPoint = to.zeroPoint.toDouble()
    val lowest = lowest(dtype)
    val highest = lowest + UINT8_MAX
    for (i in 0 until count) {
        val real = reals[i]
        if (real.isNaN()) {
            throw GlueException("a NaN reached a quantized input; the stage before it is broken for this picture")
        }
        raw[i] = maxOf(lowest, minOf(highest, Math.rint(real / scale) + zeroPoint)).toInt().toByte()
    }
}

/** The first [count] numbers of [raw], of [dtype] (INT8 or UINT8), as real ones into [reals]. */
fun dequantize(raw: ByteArray, count: Int, from: Quantization, dtype: DType, reals: FloatArray) {
    val mask = if (dtype == DType.UINT8) UINT8_MAX else -1
    val zeroPoint = from.zeroPoint
    val scale = from.scale
    for (i in 0 until count) reals[i] = ((raw[i].toInt() and mask) - zeroPoint) * scale
}

/** The first [count] of uint8 [pixels] for an input of [dtype] whose normalisation is folded, into [raw]. */
fun pixelsAs(pixels: ByteArray, count: Int, dtype: DType, raw: ByteArray) {
    if (lowest(dtype) == 0.0) {
        System.arraycopy(pixels, 0, raw, 0, count)
    } else {
        for (i in 0 until count) raw[i] = (pixels[i].toInt() xor SIGN).toByte()
    }
}

private fun lowest(dtype: DType): Double = when (dtype) {
    DType.UINT8 -> 0.0
    DType.INT8 -> Byte.MIN_VALUE.toDouble()
    else -> throw GlueException("a quantized input is int8 or uint8, not ${dtype.id}")
}
