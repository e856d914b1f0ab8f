package org.litebundle.core.stats

/** Random numbers that are the same everywhere: the splitmix64 generator (Steele, Lea and Flood 2014). */
internal class SplitMix64(private var state: Long) {
    private fun next(): Long {
        state += -0x61c8864680b583ebL
        var z = state
        z = (z xor (z ushr 30)) * -0x40a7b892e31b1a47L
        z = (z xor (z ushr 27)) * -0x6b2fb644ecceee15L
        return z xor (z ushr 31)
    }

    /** 0 … [bound] − 1, each as likely as the others to [bound] / 2³¹. */
    fun nextBelow(bound: Int): Int = ((next() ushr 33) * bound ushr 31).toInt()
}
