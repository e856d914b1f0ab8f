package org.litebundle.core.verdict

import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.engine.Residency
import org.litebundle.core.optical.Testimony
import org.litebundle.core.power.ThermalStatus

/**
 * Under what circumstances a run was made.
 *
 * @property virtualClock whether its times were computed from costs, not measured.
 * @property residencies per stage, in the bundle's order.
 * @property goldenFailures what of the bundle's golden vectors does not hold on this device; empty: all hold; null:
 *     they were not run.
 * @property thermalAtStart null: the system does not tell (Android below 10).
 * @property offset the clocks' offset; null: undecided.
 * @property clockErrorNs how far times of exposure may be off because of the clocks, at most.
 * @property witness what the second witness of an optical run says; null: it was none, or nothing was seen.
 */
data class RunConditions(
    val kind: RunKind,
    val virtualClock: Boolean,
    val debuggable: Boolean,
    val residencies: List<StageResidency>,
    val goldenFailures: List<String>?,
    val thermalAtStart: ThermalStatus?,
    val clock: SensorClock,
    val offset: ClockOffset?,
    val clockErrorNs: Long,
    val witness: Testimony?,
)

enum class RunKind(val id: String) { LIVE("live"), REPLAY("replay"), OPTICAL("optical") }

data class StageResidency(val stage: String, val residency: Residency)
