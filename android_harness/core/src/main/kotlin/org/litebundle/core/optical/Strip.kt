package org.litebundle.core.optical

/**
 * A row of dark and light bars that says which result the screen shows, so that a camera that looks at the screen
 * through a mirror sees it.
 *
 * A bit is a dark bar and the light one behind it, four units together: 3 + 1 is 1, 1 + 3 is 0. The share of the dark
 * bar tells the bit at every scale, and each bit brings its own measure, so perspective does no harm. Before the bits
 * stands a pair of 4 + 4, behind them a dark bar; seen in a mirror, the pair of 4 + 4 comes last. The bits are the
 * counter in Gray code, so that neighbours differ in one bit, and CRC-8 (polynomial 0x07) of it, highest bit first.
 */
object Strip {
    /** Counters are taken modulo this. */
    const val MODULUS = 1 shl 12

    internal const val COUNTER_BITS = 12
    internal const val CHECK_BITS = 8
    internal const val BITS = COUNTER_BITS + CHECK_BITS
    private const val START = 4
    private const val WIDE = 3
    private const val NARROW = 1

    /** Units of the whole strip, without the light margin of at least [MARGIN] that belongs on either side. */
    const val UNITS = 2 * START + BITS * (WIDE + NARROW) + NARROW
    const val MARGIN = 4

    /** Widths of the bars in units: dark, light, dark … dark; [UNITS] in all. */
    fun bars(counter: Long): IntArray {
        val word = word((counter % MODULUS).toInt())
        val bars = IntArray(2 * BITS + 3)
        bars[0] = START
        bars[1] = START
        for (bit in 0 until BITS) {
            val dark = if (word shr (BITS - 1 - bit) and 1 == 1) WIDE else NARROW
            bars[2 + 2 * bit] = dark
            bars[3 + 2 * bit] = WIDE + NARROW - dark
        }
        bars[bars.size - 1] = NARROW
        return bars
    }

    private fun word(counter: Int): Int {
        val gray = counter xor (counter shr 1)
        return gray shl CHECK_BITS or check(gray)
    }

    /** The counter that the bits of [word] stand for; -1 if their check is wrong. */
    internal fun counter(word: Int): Int {
        val gray = word shr CHECK_BITS
        if (check(gray) != (word and CHECK_MASK)) return -1
        var counter = gray
        var shift = 1
        while (shift < COUNTER_BITS) {
            counter = counter xor (counter shr shift)
            shift *= 2
        }
        return counter
    }

    private fun check(gray: Int): Int {
        var crc = 0
        for (bit in COUNTER_BITS - 1 downTo 0) {
            val feedback = (crc shr (CHECK_BITS - 1) and 1) xor (gray shr bit and 1)
            crc = crc shl 1 and CHECK_MASK
            if (feedback == 1) crc = crc xor POLYNOMIAL
        }
        return crc
    }

    private const val CHECK_MASK = (1 shl CHECK_BITS) - 1
    private const val POLYNOMIAL = 0x07
}
