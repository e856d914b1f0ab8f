package org.litebundle.core.power

import org.litebundle.core.clock.MonotonicNs

/** `PowerManager.THERMAL_STATUS_*`, which begin at 0. */
enum class ThermalStatus {
    NONE,
    LIGHT,
    MODERATE,
    SEVERE,
    CRITICAL,
    EMERGENCY,
    SHUTDOWN,
}

/** Taken once a second. [headroom]: 1 is the threshold of severe throttling. Null: the system does not tell. */
data class ThermalSample(val at: MonotonicNs, val status: ThermalStatus?, val headroom: Float?)
