package org.litebundle.core.power

import org.litebundle.core.clock.MonotonicNs

/** Which thermal sample held at a time. */
class ThermalJoin(samples: List<ThermalSample>) {
    private val samples = samples.sortedBy { it.at }

    /** The last sample at [time] or before it; null: there is none, or it is older than two periods of sampling. */
    fun at(time: MonotonicNs): ThermalSample? {
        val found = samples.binarySearchBy(time) { it.at }
        val last = samples.getOrNull(if (found >= 0) found else -found - 2)
        return last?.takeIf { time - it.at <= MAX_AGE_NS }
    }

    private companion object {
        const val MAX_AGE_NS = 2_000_000_000L
    }
}
