package org.litebundle.core.verdict

import org.litebundle.core.clock.ClockDomain
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.ledger.Violation
import org.litebundle.core.power.ThermalStatus
import org.litebundle.core.stats.Summary

/** Whether a requirement holds; refused: nobody can say. */
enum class Judgement { PASS, FAIL, REFUSED }

/**
 * A requirement of the bundle, judged. Figures are in ms and null if nothing was measured. [lowMs] to [highMs] is the
 * 95 % interval of [measuredMs], widened to the earliest and the latest that the clocks and the display's stamps allow.
 */
data class JudgedRequirement(
    val name: String,
    val limitMs: Double,
    val measuredMs: Double?,
    val lowMs: Double?,
    val highMs: Double?,
    val judgement: Judgement,
)

/**
 * Whether a run's headline may be quoted, and whether it holds what was asked. [requirement] is null if nothing was.
 */
sealed interface Verdict {
    val requirement: JudgedRequirement?

    /** The numbers are valid, and the requirement holds, if there is one. */
    data class Pass(override val requirement: JudgedRequirement?) : Verdict

    /** The numbers are valid, and they break the requirement. */
    data class Fail(override val requirement: JudgedRequirement) : Verdict

    /** No headline, for all of [reasons]. */
    data class Refused(override val requirement: JudgedRequirement?, val reasons: List<Refusal>) : Verdict

    companion object {
        /** The key of the manifest's requirements that a run judges: mid exposure to presentation, 90th percentile. */
        const val CAPTURE_TO_DISPLAY = "capture_to_display_p90_ms"

        /**
         * Judges a run against [limitMs], null if nothing is asked.
         *
         * With a reason that makes the numbers void, the run is refused and the requirement with it. Otherwise, as when
         * a bundle is built: the whole interval at or below the limit passes; a best estimate above the limit fails,
         * also where the interval reaches below it, as passing would be a bet against the evidence; an estimate that
         * holds the limit while its interval does not is refused, and a longer run decides.
         *
         * A weak grade of the display voids nothing by itself: its stamps are wide, and the interval with them.
         */
        fun judge(summary: Summary, conditions: RunConditions, violations: List<Violation>, limitMs: Double?): Verdict {
            val void = void(summary, conditions, violations)
            val requirement = limitMs?.let { judge(summary, conditions.clockErrorNs, it, void.isNotEmpty()) }
            return when {
                void.isNotEmpty() -> Refused(requirement, void)
                requirement == null || requirement.judgement == Judgement.PASS -> Pass(requirement)
                requirement.judgement == Judgement.FAIL -> Fail(requirement)
                else -> Refused(requirement, listOf(Refusal.Undecided(requirement)))
            }
        }

        /** Every rule of those that make a run's numbers void which is broken, not the first alone. */
        private fun void(summary: Summary, conditions: RunConditions, violations: List<Violation>): List<Refusal> {
            val refusals = ArrayList<Refusal>()
            if (conditions.virtualClock || conditions.kind == RunKind.REPLAY) {
                refusals.add(Refusal.NotCaptured(conditions.kind, conditions.virtualClock))
            }
            if (conditions.debuggable) refusals.add(Refusal.Debuggable)
            refusals.addAll(Refusal.unproven(conditions.residencies))
            val golden = conditions.goldenFailures
            if (golden?.isEmpty() != true) refusals.add(Refusal.GoldenFailed(golden))
            val thermal = conditions.thermalAtStart
            if (thermal != ThermalStatus.NONE) refusals.add(Refusal.ThermalAtStart(thermal))
            val clock = conditions.clock
            if (clock is SensorClock.Undecided) refusals.add(Refusal.ClockUndecided(clock.reason))
            if (conditions.offset == null && clock != SensorClock.Inferred(ClockDomain.MONOTONIC)) {
                refusals.add(Refusal.OffsetUndecided)
            }
            if (conditions.kind == RunKind.OPTICAL && conditions.witness?.confirmed != true) {
                refusals.add(Refusal.WitnessUnconfirmed(conditions.witness))
            }
            if (summary.steadyFrom == null) {
                refusals.add(Refusal.TooFewResults(null))
            } else if (summary.displayed < Refusal.MIN_DISPLAYED) {
                refusals.add(Refusal.TooFewResults(summary.displayed))
            }
            if (violations.isNotEmpty()) refusals.add(Refusal.Unaccounted(violations))
            return refusals
        }

        private fun judge(summary: Summary, clockErrorNs: Long, limitMs: Double, void: Boolean): JudgedRequirement {
            val p90 = summary.midToPresent?.p90
            val earliest = summary.midToEarliest?.p90
            val latest = summary.midToLatest?.p90
            if (p90 == null || earliest == null || latest == null) {
                return JudgedRequirement(CAPTURE_TO_DISPLAY, limitMs, null, null, null, Judgement.REFUSED)
            }
            val measuredMs = p90.valueNs / NS_PER_MS
            val lowMs = (earliest.lowNs - clockErrorNs) / NS_PER_MS
            val highMs = (latest.highNs + clockErrorNs) / NS_PER_MS
            val judgement = when {
                void -> Judgement.REFUSED
                highMs <= limitMs -> Judgement.PASS
                measuredMs > limitMs -> Judgement.FAIL
                else -> Judgement.REFUSED
            }
            return JudgedRequirement(CAPTURE_TO_DISPLAY, limitMs, measuredMs, lowMs, highMs, judgement)
        }

        private const val NS_PER_MS = 1e6
    }
}
