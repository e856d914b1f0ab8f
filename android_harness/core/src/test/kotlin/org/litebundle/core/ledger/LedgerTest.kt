package org.litebundle.core.ledger

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorTimes
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp
import org.litebundle.core.frame.Exposure
import org.litebundle.core.run.StageMark
import java.lang.management.ManagementFactory
import kotlin.concurrent.thread

private fun at(ns: Long) = MonotonicNs(ns)

class LedgerTest {
    /** The sensor's clock is 1000 ns ahead. */
    private val sensor = SensorTimes { MonotonicNs(it - 1_000) }
    private val ledger = Ledger(listOf("locate", "read"), capacity = 4, sensor)
    private val stamp = Stamp(at(900), at(890), at(910), Grade.A, "present fence")

    private fun captured(timestampNs: Long = 1_100): Long {
        val frame = ledger.captured(timestampNs)
        ledger.captureResult(frame, Exposure(timestampNs, 40, 20, 0), at(timestampNs - 800))
        ledger.imageAvailable(frame, at(timestampNs - 790))
        return frame
    }

    /** Stage 0 from 320 to 400, stage 1 from 400 to 500 with two runs. */
    private fun work(frame: Long) {
        ledger.acquired(frame, at(315))
        val listener = ledger.listener(frame)
        for ((mark, ns) in StageMark.entries.zip(listOf(320L, 330, 330, 380, 380, 400))) listener.mark(0, mark, at(ns))
        listener.mark(1, StageMark.PRE_BEGIN, at(400))
        listener.mark(1, StageMark.PRE_END, at(410))
        for (ns in listOf(410L, 440)) {
            listener.mark(1, StageMark.RUN_ENQUEUED, at(ns))
            listener.mark(1, StageMark.RUN_READY, at(ns + 20))
        }
        listener.mark(1, StageMark.POST_BEGIN, at(460))
        listener.mark(1, StageMark.POST_END, at(500))
        ledger.submitted(frame, at(505))
    }

    @Test
    fun `a presented frame has all its times in monotonic`() {
        val frame = captured()
        work(frame)
        ledger.latched(frame, at(600))
        ledger.presented(frame, stamp)
        val expected = FrameRecord(
            id = 0,
            exposureStart = at(100),
            exposureMid = at(100 + 20 + 10),
            captureResult = at(300),
            imageAvailable = at(310),
            acquired = at(315),
            stages = listOf(
                StageTimes(at(320), at(330), at(330), at(380), at(380), at(400), 1),
                StageTimes(at(400), at(410), at(410), at(460), at(460), at(500), 2),
            ),
            submitted = at(505),
            latched = at(600),
            presented = stamp,
            outcome = Outcome.Presented,
        )
        assertEquals(listOf(expected), ledger.records())
        assertEquals(expected, ledger.find(0))
        assertNull(ledger.find(1))
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `the region's row decides when its light came in`() {
        val frame = captured()
        ledger.region(frame, 1.0)
        assertEquals(at(100 + 20 + 20), ledger.records().single().exposureMid)
    }

    @Test
    fun `a frame at whose time the clock is not known has no exposure`() {
        val blind = Ledger(emptyList(), 1) { null }
        blind.captureResult(blind.captured(5), Exposure(5, 1, 1, 1), at(9))
        assertNull(blind.records().single().exposureStart)
        assertNull(blind.records().single().exposureMid)
        assertEquals(at(9), blind.records().single().captureResult)
    }

    @Test
    fun `every way to end ends a frame, and is no violation`() {
        val shown = captured(1_100)
        work(shown)
        ledger.presented(shown, stamp)
        val replaced = captured(1_110)
        ledger.acquired(replaced, at(400))
        ledger.submitted(replaced, at(500))
        ledger.superseded(replaced)
        ledger.dropped(captured(1_120), DropCause.BUSY)
        val failed = captured(1_130)
        ledger.acquired(failed, at(400))
        ledger.failed(failed, "no text")
        val outcomes = listOf(
            Outcome.Presented,
            Outcome.Superseded,
            Outcome.Dropped(DropCause.BUSY),
            Outcome.Failed("no text"),
        )
        assertEquals(outcomes, ledger.records().map { it.outcome })
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `a frame that never ends is a violation`() {
        captured()
        assertEquals(listOf("frame 0: never ended"), ledger.violations().map { "$it" })
    }

    @Test
    fun `a frame that ends twice is a violation, and the first end stays`() {
        val frame = captured()
        ledger.dropped(frame, DropCause.QUEUE)
        ledger.failed(frame, "late")
        assertEquals(Outcome.Dropped(DropCause.QUEUE), ledger.records().single().outcome)
        assertTrue("ended twice" in ledger.violations().single().rule)
    }

    @Test
    fun `a time that is told twice is a violation, and the first stays`() {
        val frame = captured()
        ledger.acquired(frame, at(400))
        ledger.acquired(frame, at(401))
        ledger.listener(frame).run { repeat(2) { mark(0, StageMark.PRE_BEGIN, at(402)) } }
        ledger.failed(frame, "x")
        assertEquals(at(400), ledger.records().single().acquired)
        assertEquals(2, ledger.violations().size)
    }

    @Test
    fun `frames beyond the capacity are counted, have no record, and are a violation`() {
        repeat(4) { ledger.dropped(captured(1_100L + it), DropCause.BUSY) }
        repeat(2) {
            val frame = captured(1_200)
            assertEquals(Ledger.NO_FRAME, frame)
            work(frame)
            ledger.region(frame, 0.1)
            ledger.presented(frame, stamp)
        }
        assertEquals(4, ledger.records().size)
        assertEquals(listOf("2 frames came when the ledger's 4 were full"), ledger.violations().map { "$it" })
    }

    @Test
    fun `a stage that was not reached has no times, one that ran no model has a run of no length`() {
        val frame = captured()
        ledger.acquired(frame, at(315))
        val listener = ledger.listener(frame)
        val marks = listOf(StageMark.PRE_BEGIN, StageMark.PRE_END, StageMark.POST_BEGIN, StageMark.POST_END)
        for ((mark, ns) in marks.zip(320L..323L)) listener.mark(0, mark, at(ns))
        val expected = StageTimes(at(320), at(321), at(321), at(321), at(322), at(323), runs = 0)
        assertEquals(listOf(expected, null), ledger.records().single().stages)
    }

    @Test
    fun `writing allocates nothing`() {
        val large = Ledger(listOf("locate", "read"), 40_000, sensor)
        val exposure = Exposure(1_100, 40, 20, 0)
        var now = 1_000L

        fun frame(i: Int) {
            val frame = large.captured(now++)
            large.captureResult(frame, exposure, at(now++))
            large.imageAvailable(frame, at(now++))
            if (i % 3 == 0) return large.dropped(frame, DropCause.BUSY)
            large.acquired(frame, at(now++))
            val listener = large.listener(frame)
            for (stage in 0..1) for (mark in 0..5) listener.mark(stage, StageMark.entries[mark], at(now++))
            large.submitted(frame, at(now++))
            if (i % 3 == 1) return large.superseded(frame)
            large.latched(frame, at(now++))
            large.presented(frame, stamp)
        }
        val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        for (i in 0 until 20_000) frame(i)
        val before = threads.currentThreadAllocatedBytes
        for (i in 0 until 10_000) frame(i)
        val allocated = threads.currentThreadAllocatedBytes - before
        assertTrue(allocated < 1_000, "10000 frames allocated $allocated bytes")
    }

    @Test
    fun `threads of camera, worker and display may write at once`() {
        val shared = Ledger(listOf("only"), 30_000, sensor)
        val writers = List(3) { writer ->
            thread {
                repeat(10_000) {
                    val frame = shared.captured(1_000L + it)
                    shared.acquired(frame, at(2_000L + it))
                    if (writer == 0) shared.failed(frame, "x") else shared.submitted(frame, at(3_000L + it))
                    if (writer > 0) shared.superseded(frame)
                }
            }
        }
        writers.forEach { it.join() }
        assertEquals(emptyList<Violation>(), shared.violations())
        val outcomes = shared.records().groupingBy { it.outcome }.eachCount()
        assertEquals(mapOf(Outcome.Failed("x") to 10_000, Outcome.Superseded to 20_000), outcomes)
    }
}
