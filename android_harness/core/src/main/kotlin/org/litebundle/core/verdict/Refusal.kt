package org.litebundle.core.verdict

import org.litebundle.core.engine.Residency
import org.litebundle.core.ledger.Violation
import org.litebundle.core.optical.Testimony
import org.litebundle.core.power.ThermalStatus

/** Why a run has no headline: [code] names the rule, [text] says what broke it and the way out. */
sealed interface Refusal {
    val code: String
    val text: String

    /** The frames' light did not fall when the run says: there is no capture to count from. */
    data class NotCaptured(val kind: RunKind, val virtualClock: Boolean) : Refusal {
        override val code get() = "not_captured"
        override val text get() = if (virtualClock) {
            "its times were computed, not measured; run it on a device with its camera"
        } else {
            "a ${kind.id} run shows recorded frames, whose light fell earlier; run it live"
        }
    }

    data object Debuggable : Refusal {
        override val code get() = "debuggable_build"
        override val text get() = "the build is debuggable, which makes it slower; install the release build"
    }

    data class AcceleratorUnproven(val stage: String, val found: Residency.Unproven) : Refusal {
        override val code get() = "accelerator_unproven"
        override val text get() = "stage '$stage' is not known to run on the ${found.wanted.id}: ${found.reason}"
    }

    /** [failures] is null if the golden vectors were not run. */
    data class GoldenFailed(val failures: List<String>?) : Refusal {
        override val code get() = "golden_failed"
        override val text get() = when (failures) {
            null -> "the bundle's golden vectors were not run on this device; run them first"
            else -> "the bundle computes something else on this device: ${failures.joinToString("; ")}"
        }
    }

    /** [status] is null if the system does not tell. */
    data class ThermalAtStart(val status: ThermalStatus?) : Refusal {
        override val code get() = "thermal_at_start"
        override val text get() = when (status) {
            null -> "the system does not tell whether the device was throttled at the start; Android 10 and later do"
            else -> "the device was throttled at the start (thermal status ${status.name}); let it cool down"
        }
    }

    data class ClockUndecided(val reason: String) : Refusal {
        override val code get() = "clock_undecided"
        override val text get() = "it is not known which clock the camera's timestamps are of: $reason"
    }

    /** The clock is known, and its offset is not. */
    data object OffsetUndecided : Refusal {
        override val code get() = "offset_undecided"
        override val text get() =
            "the clocks could not be compared, they moved at each attempt; keep the device awake and run again"
    }

    /** The second witness of an optical run does not confirm it; [witness] is null if nothing was seen. */
    data class WitnessUnconfirmed(val witness: Testimony?) : Refusal {
        override val code get() = "witness_unconfirmed"
        override val text get() = when {
            witness == null || witness.pairs < Testimony.LEAST_PAIRS ->
                "the camera saw the strips of ${witness?.pairs ?: 0} results, ${Testimony.LEAST_PAIRS} are needed; " +
                    "let the mirror show it the whole strip, sharp and bright"

            else ->
                "the camera saw ${witness.agreeing} of ${witness.pairs} results when the screen says they were " +
                    "shown; the screen's times cannot be trusted on this device"
        }
    }

    /** [displayed]: after the steady state began; null: it never did. */
    data class TooFewResults(val displayed: Int?) : Refusal {
        override val code get() = "too_few_results"
        override val text get() = when (displayed) {
            null -> "no steady state was reached; run longer"
            else -> "$displayed results were displayed in the steady state, $MIN_DISPLAYED are needed; run longer"
        }
    }

    data class Unaccounted(val violations: List<Violation>) : Refusal {
        override val code get() = "frames_unaccounted"
        override val text get() =
            "the ledger does not add up (${violations.size} times): ${violations.take(SHOWN).joinToString("; ")}"

        private companion object {
            const val SHOWN = 3
        }
    }

    /** The run is valid; it is the interval that is too wide. */
    data class Undecided(val requirement: JudgedRequirement) : Refusal {
        override val code get() = "requirement_undecided"
        override val text get() = with(requirement) {
            "$name is $measuredMs ms ($lowMs to $highMs), at most $limitMs is asked: the estimate holds it," +
                " its interval does not; run longer"
        }
    }

    companion object {
        /** Results displayed after the steady state began. */
        const val MIN_DISPLAYED = 300

        internal fun unproven(residencies: List<StageResidency>): List<Refusal> =
            residencies.mapNotNull { (stage, residency) ->
                (residency as? Residency.Unproven)?.let { AcceleratorUnproven(stage, it) }
            }
    }
}
