package org.litebundle.core.value

private const val SIGN = 0x8000
private const val EXPONENT = 0x1F
private const val FRACTION = 0x3FF
private const val FRACTION_BITS = 10
private const val BIAS = 25

/** The number whose IEEE 754 binary16 form is the low 16 [bits]. */
internal fun halfToDouble(bits: Int): Double {
    val exponent = (bits shr FRACTION_BITS) and EXPONENT
    val fraction = bits and FRACTION
    val size = when (exponent) {
        0 -> Math.scalb(fraction.toDouble(), 1 - BIAS)
        EXPONENT -> if (fraction == 0) Double.POSITIVE_INFINITY else Double.NaN
        else -> Math.scalb((FRACTION + 1 + fraction).toDouble(), exponent - BIAS)
    }
    return if (bits and SIGN == 0) size else -size
}
