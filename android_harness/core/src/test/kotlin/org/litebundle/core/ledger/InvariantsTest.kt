package org.litebundle.core.ledger

import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp

private fun at(ns: Long) = MonotonicNs(ns)

private fun stamp(ns: Long) = Stamp(at(ns), at(ns), at(ns), Grade.A, "present fence")

class InvariantsTest {
    private val good = FrameRecord(
        id = 7,
        exposureStart = at(0),
        exposureMid = at(10),
        captureResult = at(5),
        imageAvailable = at(30),
        acquired = at(40),
        stages = listOf(stage(50), null, stage(56)),
        submitted = at(70),
        latched = at(80),
        presented = stamp(90),
        outcome = Outcome.Presented,
    )

    /** Six moments, 1 ns apart but for the run. */
    private fun stage(from: Long) =
        StageTimes(at(from), at(from + 1), at(from + 1), at(from + 4), at(from + 4), at(from + 6), runs = 1)

    private fun rule(record: FrameRecord) = violations(listOf(record)).single().rule

    @Test
    fun `a whole frame breaks no rule, also when its capture result comes before the exposure ends`() =
        assertEquals(emptyList<Violation>(), violations(listOf(good)))

    @Test
    fun `each time that is before the one before it is found`() {
        val broken = listOf(
            good.copy(exposureStart = at(11)),
            good.copy(exposureMid = at(31)),
            good.copy(exposureStart = at(6)),
            good.copy(captureResult = at(41)),
            good.copy(imageAvailable = at(41)),
            good.copy(acquired = at(51)),
            good.copy(submitted = at(61)),
            good.copy(latched = at(69)),
            good.copy(latched = at(91)),
            good.copy(presented = stamp(79)),
            good.copy(stages = listOf(stage(50).copy(preEnd = at(49)))),
            good.copy(stages = listOf(stage(50).copy(runEnqueued = at(50)))),
            good.copy(stages = listOf(stage(50).copy(runReady = at(55)))),
        )
        for (record in broken) assertTrue("do not go up" in rule(record), "$record")
    }

    @Test
    fun `stages that do not sum to their total are found`() {
        assertEquals("its stages sum to 12 ns, and took 13 ns", rule(good.copy(stages = listOf(stage(50), stage(57)))))
        val overlapping = violations(listOf(good.copy(stages = listOf(stage(50), stage(55)))))
        assertTrue(overlapping.any { it.rule == "its stages sum to 12 ns, and took 11 ns" })
        assertTrue("do not go up" in rule(good.copy(stages = listOf(stage(50), stage(55), stage(62)))))
    }

    @Test
    fun `an end without what belongs to it is found`() {
        assertEquals("presented but not submitted", rule(good.copy(presented = null)))
        assertEquals("presented but not submitted", rule(good.copy(submitted = null)))
        assertEquals(
            "superseded but not submitted",
            rule(good.copy(submitted = null, latched = null, presented = null, outcome = Outcome.Superseded)),
        )
        val dropped = good.copy(
            submitted = null,
            latched = null,
            presented = null,
            outcome = Outcome.Dropped(DropCause.BUSY),
        )
        assertEquals("dropped although the pipeline took it", rule(dropped))
        assertEquals("never ended", rule(good.copy(outcome = Outcome.Unfinished)))
        val outside = Stamp(at(90), at(91), at(92), Grade.A, "present fence")
        assertTrue("outside its own interval" in rule(good.copy(presented = outside)))
    }

    @Test
    fun `parts of stages without gaps always sum to the total`() = runBlocking<Unit> {
        checkAll(300, Arb.int(0..4), Arb.list(Arb.long(0..20_000_000L), 30..30)) { stages, steps ->
            var now = 1_000_000L
            val next = steps.iterator()
            fun tick(): MonotonicNs {
                now += next.next()
                return at(now)
            }
            val start = at(now)
            val mid = tick()
            val image = tick()
            val acquired = tick()
            var end: MonotonicNs? = null
            val times = List(stages) {
                val begin = end ?: tick()
                val preEnd = tick()
                val ready = tick()
                val last = tick()
                end = last
                StageTimes(begin, preEnd, preEnd, ready, ready, last, 1)
            }
            val submitted = tick()
            val shown = tick()
            val record = FrameRecord(
                1, start, mid, image, image, acquired, times, submitted, null, stamp(shown.ns), Outcome.Presented,
            )
            assertEquals(emptyList<Violation>(), violations(listOf(record)))
            val partsNs = times.sumOf { it.preNs + it.runNs + it.postNs }
            val first = times.firstOrNull()?.preBegin ?: acquired
            val last = end ?: acquired
            val aroundNs = (mid - start) + (image - mid) + (acquired - image) + (first - acquired) + (shown - last)
            assertEquals(shown - start, aroundNs + partsNs)
        }
    }
}
