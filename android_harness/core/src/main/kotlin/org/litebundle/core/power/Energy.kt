package org.litebundle.core.power

import org.litebundle.core.clock.MonotonicNs

/** What a power monitor of `SystemHealthManager` counts. */
enum class MonitorKind {
    /** `POWER_MONITOR_TYPE_MEASUREMENT`: a power rail, measured by the hardware (ODPM). */
    RAIL,

    /** `POWER_MONITOR_TYPE_CONSUMER`: a subsystem, estimated from rails and activity. */
    CONSUMER,
}

data class PowerMonitor(val name: String, val kind: MonitorKind)

/** The counters at [at], in µWs (µJ) since some moment in the past. */
data class EnergySample(val at: MonotonicNs, val energyUws: Map<PowerMonitor, Long>)
