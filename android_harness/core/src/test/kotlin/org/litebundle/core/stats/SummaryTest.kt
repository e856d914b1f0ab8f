package org.litebundle.core.stats

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.StageTimes
import org.litebundle.core.power.EnergySample
import org.litebundle.core.power.MonitorKind
import org.litebundle.core.power.PowerMonitor
import org.litebundle.core.power.ThermalSample
import org.litebundle.core.power.ThermalStatus

private const val MS = 1_000_000L

internal fun ms(ms: Long) = MonotonicNs(ms * MS)

/**
 * A result whose first row's exposure began at [startMs] and whose light came in 10 ms later; taken 20 ms after the
 * start, one stage of 1 + 6 + 2 ms, presented [latencyMs] after the light, ± 1 ms.
 */
internal fun result(id: Long, startMs: Long, latencyMs: Long, grade: Grade = Grade.A): FrameRecord {
    val presented = startMs + 10 + latencyMs
    val worked = startMs + 20
    return FrameRecord(
        id = id,
        exposureStart = ms(startMs),
        exposureMid = ms(startMs + 10),
        captureResult = ms(startMs + 15),
        imageAvailable = ms(startMs + 18),
        acquired = ms(worked),
        stages = listOf(
            StageTimes(ms(worked), ms(worked + 1), ms(worked + 1), ms(worked + 7), ms(worked + 7), ms(worked + 9), 1),
        ),
        submitted = ms(worked + 10),
        latched = null,
        presented = Stamp(ms(presented), ms(presented - 1), ms(presented + 1), grade, "grade $grade"),
        outcome = Outcome.Presented,
    )
}

class SummaryTest {
    private val stages = listOf("only")

    /** One result every 100 ms: first a cold one of 900 ms, then [count] of 41, 42, 43, 44, 45, 41 … ms. */
    private fun run(count: Int) =
        listOf(result(0, 0, 900)) + (1..count).map { result(it.toLong(), 1000L + 100 * it, 41L + (it - 1) % 5) }

    private fun values(distribution: Distribution?) =
        distribution?.let { listOf(it.p50, it.p90, it.p95, it.p99).map { estimate -> estimate.valueNs / MS } }

    @Test
    fun `figures of a run are those worked out by hand`() {
        val summary = Summary.of(run(400), stages, loadNs = 7 * MS)
        assertEquals(1, summary.steadyFrom)
        assertEquals(400, summary.displayed)
        assertEquals(listOf(43L, 45, 45, 45), values(summary.midToPresent))
        assertEquals(listOf(53L, 55, 55, 55), values(summary.startToPresent))
        assertEquals(listOf(42L, 44, 44, 44), values(summary.midToEarliest))
        assertEquals(listOf(44L, 46, 46, 46), values(summary.midToLatest))
        // The next result comes 100 ms later and is 1 ms slower, but for each fifth, where it is 4 ms faster.
        assertEquals(listOf(101L, 101, 101, 101), values(summary.resultInterval))
        assertEquals(399, summary.resultInterval?.count)
        // Light to replacement: latency + interval = 142, 143, 144, 145, 141.
        assertEquals(listOf(143L, 145, 145, 145), values(summary.midToReplaced))
        assertEquals(listOf(153L, 155, 155, 155), values(summary.startToReplaced))
        val stage = summary.stages.single()
        assertEquals(
            listOf("only", 1L, 6L, 2L),
            listOf(stage.name) + listOf(stage.pre, stage.run, stage.post).map { values(it)?.first() },
        )
        assertEquals(400, stage.run?.count)
        assertEquals(ColdStart(7 * MS, 10 * MS, 900 * MS), summary.coldStart)
        assertEquals(DisplayEvidence(Grade.A, "grade A", mapOf(Grade.A to 401)), summary.display)
    }

    @Test
    fun `frames are counted by how they ended`() {
        val dropped = { id: Long, outcome: Outcome ->
            result(id, 0, 40).copy(acquired = null, presented = null, outcome = outcome)
        }
        val records = listOf(
            result(0, 0, 40),
            result(1, 100, 40).copy(exposureStart = null, exposureMid = null),
            dropped(2, Outcome.Superseded),
            dropped(3, Outcome.Dropped(DropCause.BUSY)),
            dropped(4, Outcome.Dropped(DropCause.BUSY)),
            dropped(5, Outcome.Dropped(DropCause.CAMERA)),
            dropped(6, Outcome.Failed("x")),
            dropped(7, Outcome.Unfinished),
        )
        val causes = mapOf(DropCause.BUSY to 2, DropCause.QUEUE to 0, DropCause.CAMERA to 1)
        assertEquals(FrameCounts(8, 2, 1, causes, 1, 1, withoutClock = 1), Summary.of(records, stages).frames)
    }

    @Test
    fun `warm-up is left out, and its stages too`() {
        val warming = (1..50).map { result(it.toLong(), 1000L + 100 * it, 300L - 4 * it) }
        val steady = (51..350).map { result(it.toLong(), 1000L + 100 * it, 41L + it % 5) }
        val summary = Summary.of(listOf(result(0, 0, 900)) + warming + steady, stages)
        assertEquals(51, summary.steadyFrom)
        assertEquals(300, summary.displayed)
        assertEquals(300, summary.stages.single().run?.count)
        assertEquals(45, values(summary.midToPresent)?.last())
    }

    @Test
    fun `a run that never gets steady has no distribution`() {
        val summary = Summary.of((0..300).map { result(it.toLong(), 1000L * it, 40L + it) }, stages)
        assertNull(summary.steadyFrom)
        assertEquals(0, summary.displayed)
        for (distribution in listOf(
            summary.midToPresent,
            summary.startToPresent,
            summary.resultInterval,
            summary.stages[0].run,
        )) {
            assertNull(distribution)
        }
    }

    @Test
    fun `a run without a frame has a summary without figures`() {
        val summary = Summary.of(emptyList(), stages)
        assertNull(summary.display)
        assertNull(summary.steadyFrom)
        assertEquals(ColdStart(null, null, null), summary.coldStart)
        assertEquals(emptyList<CurvePoint>(), summary.curve)
    }

    @Test
    fun `results without a known exposure have no latency`() {
        val records = run(400).map { if (it.id in 10..19) it.copy(exposureStart = null, exposureMid = null) else it }
        val summary = Summary.of(records, stages)
        assertEquals(390, summary.displayed)
        assertEquals(10, summary.frames.withoutClock)
    }

    @Test
    fun `the worst grade of the run is the run's`() {
        val records = run(400).map { if (it.id == 77L) result(77, 8700, 42, Grade.D) else it }
        val expected = DisplayEvidence(Grade.D, "grade D", mapOf(Grade.A to 400, Grade.D to 1))
        assertEquals(expected, Summary.of(records, stages).display)
    }

    @Test
    fun `the first minute and what comes after are told apart`() {
        // Heat after a minute is no warm-up: what came before it is not cut off.
        val records = run(900).map { if (it.id > 600) result(it.id, 1000 + 100 * it.id, 46 + (it.id - 1) % 5) else it }
        val summary = Summary.of(records, stages)
        // Result k comes at 1051 + 100 (k − 1) ms … 4 ms later; the minute ends at 61151 ms, before result 601 at 61156 ms.
        assertEquals(listOf(600, 300), listOf(summary.minuteOne, summary.sustained).map { it.midToPresent?.count })
        assertEquals(
            listOf(43L, 48L),
            listOf(summary.minuteOne, summary.sustained).map {
                values(it.midToPresent)?.first()
            },
        )
        assertEquals(
            listOf(53L, 58L),
            listOf(summary.minuteOne, summary.sustained).map {
                values(it.startToPresent)?.first()
            },
        )
        assertNull(Summary.of(run(400), stages).sustained.midToPresent)
    }

    @Test
    fun `the curve has results, latency and heat of each second`() {
        // Presented at 910, then 2151 … 2555 ms, so that seconds begin at 910, 1910 and 2910 ms.
        val records =
            listOf(result(0, 0, 900)) + (0L..4).map { result(it + 1, 2100 + 100 * it, 41 + it) } + result(6, 3500, 50)
        val thermal = listOf(
            ThermalSample(ms(1_000), ThermalStatus.NONE, 0.5f),
            ThermalSample(ms(3_000), ThermalStatus.LIGHT, 0.8f),
        )
        val expected = listOf(
            CurvePoint(0, 1, 900 * MS, 900 * MS, thermal[0]),
            CurvePoint(1, 5, 43 * MS, 45 * MS, thermal[0]),
            CurvePoint(2, 1, 50 * MS, 50 * MS, thermal[1]),
        )
        assertEquals(expected, Summary.of(records, stages, thermal).curve)
    }

    @Test
    fun `energy is divided by the results of its time`() {
        val rail = PowerMonitor("VDD", MonitorKind.RAIL)
        val energy = listOf(EnergySample(ms(0), mapOf(rail to 100)), EnergySample(ms(999_999), mapOf(rail to 4_110)))
        assertEquals(4_010.0 / 401, Summary.of(run(400), stages, energy = energy).energy?.perResultUws)
    }
}
