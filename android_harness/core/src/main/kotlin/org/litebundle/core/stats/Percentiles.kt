package org.litebundle.core.stats

/** Exact percentiles: raw samples, never something between two of them. */
object Percentiles {
    /**
     * The smallest sample that at least [percent] % of the samples do not exceed (nearest rank; numpy's method
     * `inverted_cdf`). [sorted]: ascending, not empty. [percent]: 1 to 100.
     */
    fun exact(sorted: LongArray, percent: Int): Long = sorted[index(sorted.size, percent)]

    /** Where [exact] finds it: ⌈size · percent / 100⌉ − 1. */
    internal fun index(size: Int, percent: Int): Int {
        require(size > 0) { "no samples have no percentile" }
        require(percent in 1..100) { "percentile $percent is not one of 1 to 100" }
        return ((size.toLong() * percent + 99) / 100 - 1).toInt()
    }
}

/** A figure with its 95 % interval. */
data class Estimate(val valueNs: Long, val lowNs: Long, val highNs: Long)

/** Percentiles of [count] durations in ns, 1 or more. */
data class Distribution(val count: Int, val p50: Estimate, val p90: Estimate, val p95: Estimate, val p99: Estimate) {
    companion object {
        /** Of [samplesNs] in the order of time, which the intervals depend on; null: there are none. */
        fun of(samplesNs: LongArray): Distribution? {
            if (samplesNs.isEmpty()) return null
            val (p50, p90, p95, p99) = BlockBootstrap.estimate(samplesNs, listOf(50, 90, 95, 99))
            return Distribution(samplesNs.size, p50, p90, p95, p99)
        }
    }
}
