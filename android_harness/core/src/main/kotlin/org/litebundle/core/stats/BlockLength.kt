package org.litebundle.core.stats

import kotlin.math.abs
import kotlin.math.cbrt
import kotlin.math.ceil
import kotlin.math.log10
import kotlin.math.sqrt

/**
 * How long blocks of the circular block bootstrap should be: the automatic choice of Politis and White (2004), as
 * corrected by Patton, Politis and White (2009).
 *
 * With R(k) the autocovariances of n samples, and M twice the lag m̂ behind which K = max(5, ⌊√log₁₀ n⌋)
 * autocorrelations in a row are within 2 √(log₁₀ n / n): G = Σ λ(k/M) |k| R(k), D = 4/3 (Σ λ(k/M) R(k))², both over |k|
 * ≤ M, λ the flat-top window; b = ∛(2 G² / D · n), rounded up, at least 1 and at most min(3 √n, n / 3).
 */
object BlockLength {
    private const val FEWEST = 5

    fun of(samples: LongArray): Int {
        val size = samples.size
        val covariances = autocovariances(samples)
        if (size < 2 || covariances[0] == 0.0) return 1
        val widest = covariances.size - 1
        val window = minOf(2 * maxOf(1, lastLag(covariances, size)), widest)
        var slope = 0.0
        var spectrum = covariances[0]
        for (lag in 1..window) {
            val weighted = 2 * flatTop(lag.toDouble() / window) * covariances[lag]
            slope += weighted * lag
            spectrum += weighted
        }
        val longest = maxOf(1.0, minOf(3 * sqrt(size.toDouble()), size / 3.0))
        if (spectrum == 0.0) return longest.toInt()
        val best = cbrt(2 * slope * slope / (4.0 / 3 * spectrum * spectrum) * size)
        return ceil(best).coerceIn(1.0, longest).toInt()
    }

    private fun flatTop(at: Double) = if (at <= 0.5) 1.0 else 2 * (1 - at)

    private fun quietLags(size: Int) = maxOf(FEWEST, sqrt(log10(size.toDouble())).toInt())

    /** From lag 0 to the last that is looked at. */
    private fun autocovariances(samples: LongArray): DoubleArray {
        val size = samples.size
        val last = minOf(size - 1, ceil(sqrt(size.toDouble())).toInt() + quietLags(size))
        val mean = samples.average()
        return DoubleArray(last + 1) { lag ->
            var sum = 0.0
            for (i in lag until size) sum += (samples[i] - mean) * (samples[i - lag] - mean)
            sum / size
        }
    }

    /** m̂; if the autocorrelations never quieten, the last lag at which they are not quiet. */
    private fun lastLag(covariances: DoubleArray, size: Int): Int {
        val limit = 2 * sqrt(log10(size.toDouble()) / size)
        val quiet = BooleanArray(covariances.size) { abs(covariances[it] / covariances[0]) < limit }
        val needed = quietLags(size)
        for (lag in 0..quiet.size - 1 - needed) {
            if ((1..needed).all { quiet[lag + it] }) return lag
        }
        return quiet.indexOfLast { !it }
    }
}
