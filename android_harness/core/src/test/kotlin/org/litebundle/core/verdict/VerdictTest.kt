package org.litebundle.core.verdict

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertInstanceOf
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.clock.ClockDomain
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.engine.Residency
import org.litebundle.core.ledger.Violation
import org.litebundle.core.optical.Testimony
import org.litebundle.core.power.ThermalStatus
import org.litebundle.core.stats.Distribution
import org.litebundle.core.stats.Estimate
import org.litebundle.core.stats.Summary

private const val MS = 1_000_000L

class VerdictTest {
    private val good = RunConditions(
        kind = RunKind.LIVE,
        virtualClock = false,
        debuggable = false,
        residencies = listOf(StageResidency("locate", Residency.Proven(Accelerator.GPU, "fully accelerated"))),
        goldenFailures = emptyList(),
        thermalAtStart = ThermalStatus.NONE,
        clock = SensorClock.Realtime,
        offset = ClockOffset(-300, 300),
        clockErrorNs = 300,
        witness = null,
    )

    private fun p90(valueMs: Long, lowMs: Long, highMs: Long): Distribution {
        val estimate = Estimate(valueMs * MS, lowMs * MS, highMs * MS)
        return Distribution(300, estimate, estimate, estimate, estimate)
    }

    /** p90 of 100 ms (95 to 105), 2 ms less had stamps been early, 3 ms more had they been late. */
    private fun summary(displayed: Int = 300, steadyFrom: Long? = 10) = Summary.of(emptyList(), emptyList()).copy(
        steadyFrom = steadyFrom,
        displayed = displayed,
        midToPresent = p90(100, 95, 105),
        midToEarliest = p90(98, 93, 103),
        midToLatest = p90(103, 98, 108),
    )

    private fun reasons(
        conditions: RunConditions = good,
        summary: Summary = summary(),
        violations: List<Violation> = emptyList(),
    ): List<Refusal> = when (val verdict = Verdict.judge(summary, conditions, violations, limitMs = 150.0)) {
        is Verdict.Refused -> verdict.reasons
        is Verdict.Pass, is Verdict.Fail -> emptyList()
    }

    private fun optical(pairs: Int, agreeing: Int) =
        good.copy(kind = RunKind.OPTICAL, witness = Testimony(pairs, agreeing))

    private val unproven = Residency.Unproven(Accelerator.NPU, "3 of 60 ops ran on the CPU")
    private val violation = Violation(3, "never ended")

    /** Each void rule, broken alone. */
    private val broken: List<Pair<List<Refusal>, Refusal>> by lazy {
        listOf(
            reasons(good.copy(kind = RunKind.REPLAY)) to Refusal.NotCaptured(RunKind.REPLAY, false),
            reasons(good.copy(virtualClock = true)) to Refusal.NotCaptured(RunKind.LIVE, true),
            reasons(good.copy(debuggable = true)) to Refusal.Debuggable,
            reasons(good.copy(residencies = good.residencies + StageResidency("read", unproven))) to
                Refusal.AcceleratorUnproven("read", unproven),
            reasons(good.copy(goldenFailures = listOf("vector 2"))) to Refusal.GoldenFailed(listOf("vector 2")),
            reasons(good.copy(goldenFailures = null)) to Refusal.GoldenFailed(null),
            reasons(good.copy(thermalAtStart = ThermalStatus.LIGHT)) to Refusal.ThermalAtStart(ThermalStatus.LIGHT),
            reasons(good.copy(thermalAtStart = null)) to Refusal.ThermalAtStart(null),
            reasons(good.copy(clock = SensorClock.Undecided("both fit"))) to Refusal.ClockUndecided("both fit"),
            reasons(good.copy(offset = null)) to Refusal.OffsetUndecided,
            reasons(good.copy(kind = RunKind.OPTICAL)) to Refusal.WitnessUnconfirmed(null),
            reasons(optical(pairs = 29, agreeing = 29)) to Refusal.WitnessUnconfirmed(Testimony(29, 29)),
            reasons(optical(pairs = 100, agreeing = 94)) to Refusal.WitnessUnconfirmed(Testimony(100, 94)),
            reasons(summary = summary(displayed = 299)) to Refusal.TooFewResults(299),
            reasons(summary = summary(displayed = 0, steadyFrom = null)) to Refusal.TooFewResults(null),
            reasons(violations = listOf(violation)) to Refusal.Unaccounted(listOf(violation)),
        )
    }

    @Test
    fun `a run that breaks no rule passes`() {
        assertInstanceOf<Verdict.Pass>(Verdict.judge(summary(), good, emptyList(), limitMs = 150.0))
        val optical = optical(pairs = 100, agreeing = 95).copy(clock = SensorClock.Inferred(ClockDomain.BOOTTIME))
        val verdict = assertInstanceOf<Verdict.Pass>(Verdict.judge(summary(), optical, emptyList(), limitMs = null))
        assertNull(verdict.requirement)
    }

    @Test
    fun `each broken rule refuses alone, with its reason`() {
        for ((found, expected) in broken) assertEquals(listOf(expected), found)
    }

    @Test
    fun `a monotonic sensor needs no offset`() {
        val conditions = good.copy(clock = SensorClock.Inferred(ClockDomain.MONOTONIC), offset = null)
        assertEquals(emptyList<Refusal>(), reasons(conditions))
    }

    @Test
    fun `all broken rules are told, not the first`() {
        val conditions = RunConditions(
            kind = RunKind.REPLAY,
            virtualClock = true,
            debuggable = true,
            residencies = listOf(StageResidency("locate", unproven), StageResidency("read", unproven)),
            goldenFailures = listOf("vector 2"),
            thermalAtStart = ThermalStatus.SEVERE,
            clock = SensorClock.Undecided("neither fits"),
            offset = null,
            clockErrorNs = 0,
            witness = null,
        )
        val codes = reasons(conditions, summary(displayed = 12), listOf(violation)).map { it.code }
        val expected = listOf(
            "not_captured",
            "debuggable_build",
            "accelerator_unproven",
            "accelerator_unproven",
            "golden_failed",
            "thermal_at_start",
            "clock_undecided",
            "offset_undecided",
            "too_few_results",
            "frames_unaccounted",
        )
        assertEquals(expected, codes)
    }

    @Test
    fun `every pair of broken conditions is told whole`() {
        val breaks = listOf<Pair<String, (RunConditions) -> RunConditions>>(
            "not_captured" to { it.copy(kind = RunKind.REPLAY) },
            "debuggable_build" to { it.copy(debuggable = true) },
            "accelerator_unproven" to { it.copy(residencies = listOf(StageResidency("read", unproven))) },
            "golden_failed" to { it.copy(goldenFailures = null) },
            "thermal_at_start" to { it.copy(thermalAtStart = ThermalStatus.SHUTDOWN) },
            "clock_undecided" to { it.copy(clock = SensorClock.Undecided("x")) },
            "offset_undecided" to { it.copy(offset = null) },
            "witness_unconfirmed" to { it.copy(kind = RunKind.OPTICAL, witness = Testimony(40, 1)) },
        )
        for ((i, one) in breaks.withIndex()) {
            for (other in breaks.drop(i)) {
                // A replay is no optical run.
                if (one.first == "not_captured" && other.first == "witness_unconfirmed") continue
                val codes = reasons(other.second(one.second(good))).map { it.code }.toSet()
                assertEquals(setOf(one.first, other.first), codes)
            }
        }
    }

    @Test
    fun `codes are words of the report's schema and texts say something`() {
        for ((_, refusal) in broken) {
            assertTrue(Regex("[a-z][a-z0-9_]*").matches(refusal.code))
            assertTrue(refusal.text.length > 20, refusal.text)
        }
        assertTrue("the strips of 29 results, 30 are needed" in Refusal.WitnessUnconfirmed(Testimony(29, 29)).text)
        assertTrue("saw 94 of 100 results when" in Refusal.WitnessUnconfirmed(Testimony(100, 94)).text)
    }

    @Test
    fun `the whole interval, with the errors of clock and display, must hold the limit`() {
        // From 93 − 0.0003 to 108 + 0.0003 ms.
        val pass = assertInstanceOf<Verdict.Pass>(Verdict.judge(summary(), good, emptyList(), limitMs = 108.001))
        val expected =
            JudgedRequirement("capture_to_display_p90_ms", 108.001, 100.0, 92.9997, 108.0003, Judgement.PASS)
        assertEquals(expected, pass.requirement)
    }

    @Test
    fun `an estimate above the limit fails, although its interval reaches below`() {
        for (limit in listOf(99.999, 95.0, 80.0)) {
            val fail = assertInstanceOf<Verdict.Fail>(Verdict.judge(summary(), good, emptyList(), limit))
            assertEquals(Judgement.FAIL, fail.requirement.judgement)
        }
    }

    @Test
    fun `an estimate that holds the limit while its interval does not is undecided`() {
        for (limit in listOf(100.0, 105.0, 108.0)) {
            val refused = assertInstanceOf<Verdict.Refused>(Verdict.judge(summary(), good, emptyList(), limit))
            val requirement = checkNotNull(refused.requirement)
            assertEquals(listOf(Refusal.Undecided(requirement)), refused.reasons)
            assertEquals(Judgement.REFUSED, requirement.judgement)
            assertTrue("run longer" in refused.reasons.single().text)
        }
    }

    @Test
    fun `a void run judges no requirement, whatever its figures`() {
        for (limit in listOf(1.0, 1_000.0)) {
            val verdict = Verdict.judge(summary(), good.copy(debuggable = true), emptyList(), limit)
            val refused = assertInstanceOf<Verdict.Refused>(verdict)
            assertEquals(listOf<Refusal>(Refusal.Debuggable), refused.reasons)
            assertEquals(Judgement.REFUSED, refused.requirement?.judgement)
        }
    }

    @Test
    fun `without figures the requirement is not measured`() {
        val nothing = Summary.of(emptyList(), emptyList())
        val refused = assertInstanceOf<Verdict.Refused>(Verdict.judge(nothing, good, emptyList(), limitMs = 150.0))
        val expected = JudgedRequirement("capture_to_display_p90_ms", 150.0, null, null, null, Judgement.REFUSED)
        assertEquals(expected, refused.requirement)
        assertEquals(listOf<Refusal>(Refusal.TooFewResults(null)), refused.reasons)
    }
}
