package org.litebundle.core.power

import org.litebundle.core.clock.MonotonicNs

/**
 * Energy of the device per displayed result.
 *
 * @property kind how good the evidence is: rails are measured, consumers estimated.
 * @property monitors what was added up, sorted.
 * @property energyUws what they took between the first and the last sample.
 * @property results how many were presented in that time, 1 or more.
 */
data class EnergyPerResult(val kind: MonitorKind, val monitors: List<String>, val energyUws: Long, val results: Int) {
    val perResultUws get() = energyUws.toDouble() / results

    companion object {
        /**
         * Rails if there are any, else consumers; never both, as a consumer's energy also goes through rails. A monitor
         * that is not in both the first and the last of [samples], or whose counter went back (a counter began anew),
         * is left out. Null: no monitor is left, or nothing was presented in that time.
         */
        fun of(samples: List<EnergySample>, presented: List<MonotonicNs>): EnergyPerResult? {
            val first = samples.minByOrNull { it.at } ?: return null
            val last = samples.maxBy { it.at }
            val results = presented.count { it > first.at && it <= last.at }
            if (results == 0) return null
            val ordered = samples.sortedBy { it.at }
            val usable = first.energyUws.keys.filter { monitor -> rises(ordered.map { it.energyUws[monitor] }) }
            val kind = usable.minOfOrNull { it.kind } ?: return null
            val added = usable.filter { it.kind == kind }
            val energyUws = added.sumOf { last.energyUws.getValue(it) - first.energyUws.getValue(it) }
            return EnergyPerResult(kind, added.map { it.name }.sorted(), energyUws, results)
        }

        private fun rises(counts: List<Long?>) = counts.first() != null && counts.last() != null &&
            counts.filterNotNull().zipWithNext().all { (a, b) -> a <= b }
    }
}
