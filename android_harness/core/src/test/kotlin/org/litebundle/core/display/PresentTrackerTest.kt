package org.litebundle.core.display

import io.kotest.property.Arb
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.Violation
import org.litebundle.core.run.FrameLoop
import java.util.Random

private const val MS = 1_000_000L

private fun ms(ms: Long) = MonotonicNs(ms * MS)

private class FakeFence(override var isValid: Boolean = true, override var signalTimeNs: Long = PresentFence.PENDING) :
    PresentFence {
    var closed = 0

    override fun close() {
        closed++
    }
}

/** A screen with a vsync every 10 ms, at 0, 10, 20 … */
class PresentTrackerTest {
    private val ledger = Ledger(emptyList(), 100) { MonotonicNs(it) }

    private fun tracker(best: Grade = Grade.A) = PresentTracker(
        ledger,
        VsyncModel(ms(0), 10 * MS),
        best,
        timeoutNs =
        100 * MS,
    )

    private fun PresentTracker.submit(atMs: Long, expectedMs: Long? = null): Long {
        val frame = ledger.captured(0)
        ledger.submitted(frame, ms(atMs))
        submitted(frame, ms(atMs), expectedMs?.let(::ms))
        return frame
    }

    private fun stamp(frame: Long) = ledger.find(frame)?.presented

    private fun outcome(frame: Long) = checkNotNull(ledger.find(frame)).outcome

    private fun signalled(atMs: Long) = FakeFence(signalTimeNs = atMs * MS)

    @Test
    fun `a signalled fence is presentation, grade A, within the fence's error`() {
        val tracker = tracker()
        val frame = tracker.submit(3)
        val fence = FakeFence()
        tracker.completed(frame, ms(10), fence)
        tracker.settle(ms(15))
        assertEquals(Outcome.Unfinished, outcome(frame))
        fence.signalTimeNs = 21 * MS
        tracker.settle(ms(22))
        val expected = Stamp(ms(21), ms(21) + -100_000, ms(21) + 100_000, Grade.A, "present fence")
        assertEquals(expected, stamp(frame))
        assertEquals(ms(10), ledger.find(frame)?.latched)
        assertEquals(1, fence.closed)
        assertEquals(frame, tracker.lastPresented)
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `a fence that signalled before its callback came counts`() {
        val tracker = tracker()
        val frame = tracker.submit(3)
        tracker.settle(ms(30))
        tracker.completed(frame, ms(10), signalled(20))
        tracker.settle(ms(31))
        assertEquals(ms(20), stamp(frame)?.value)
    }

    @Test
    fun `callbacks out of order settle in order, each with its own fence`() {
        val tracker = tracker()
        val first = tracker.submit(3)
        val second = tracker.submit(13)
        tracker.completed(second, ms(20), signalled(30))
        tracker.settle(ms(32))
        assertEquals(Outcome.Unfinished, outcome(second))
        tracker.completed(first, ms(10), signalled(20))
        tracker.settle(ms(33))
        assertEquals(listOf(ms(20), ms(30)), listOf(first, second).map { stamp(it)?.value })
    }

    @Test
    fun `of two transactions in one vsync the older is superseded`() {
        val tracker = tracker()
        val older = tracker.submit(3)
        val newer = tracker.submit(7)
        tracker.completed(older, ms(10), signalled(20))
        tracker.settle(ms(21))
        // The newer one may have been latched with it.
        assertEquals(Outcome.Unfinished, outcome(older))
        tracker.completed(newer, ms(10), signalled(20))
        tracker.settle(ms(22))
        assertEquals(Outcome.Superseded, outcome(older))
        assertEquals(Outcome.Presented, outcome(newer))
        assertEquals(ms(20), stamp(newer)?.value)
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `a newer transaction that was latched later supersedes nothing`() {
        val tracker = tracker()
        val older = tracker.submit(3)
        val newer = tracker.submit(7)
        tracker.completed(older, ms(10), signalled(20))
        tracker.completed(newer, ms(20), FakeFence())
        tracker.settle(ms(22))
        assertEquals(ms(20), stamp(older)?.value)
        assertEquals(Outcome.Unfinished, outcome(newer))
    }

    @Test
    fun `an invalid fence lowers the grade to the timeline, else to the model, and the latch is never presentation`() {
        for ((fence, latched) in listOf(FakeFence(isValid = false) to 10L, FakeFence(signalTimeNs = -1) to 10L)) {
            val tracker = tracker()
            val timed = tracker.submit(3, expectedMs = 22)
            tracker.completed(timed, ms(latched), fence)
            tracker.settle(ms(21))
            assertEquals(Outcome.Unfinished, outcome(timed))
            tracker.settle(ms(22))
            val timeline = "Choreographer.FrameTimeline expected presentation"
            assertEquals(Stamp(ms(22), ms(22), ms(32), Grade.C, timeline), stamp(timed))

            val plain = tracker.submit(23)
            tracker.completed(plain, ms(30), fence)
            tracker.settle(ms(40))
            assertEquals(Stamp(ms(40), ms(30), ms(50), Grade.D, "model: next vsync and one period"), stamp(plain))
            assertNotEquals(ledger.find(plain)?.latched, stamp(plain)?.value)
        }
    }

    @Test
    fun `a fence that says it signalled before the latch is not believed`() {
        val tracker = tracker()
        val frame = tracker.submit(3)
        tracker.completed(frame, ms(10), signalled(9))
        tracker.settle(ms(20))
        assertEquals(Grade.D, stamp(frame)?.grade)
    }

    @Test
    fun `a fence that never signals and a callback that never comes end in an estimate`() {
        val tracker = tracker()
        val silent = tracker.submit(3)
        val pending = tracker.submit(13, expectedMs = 32)
        val fence = FakeFence()
        tracker.completed(pending, ms(20), fence)
        // The silent one waits for the other too, which may have been shown as early.
        tracker.settle(ms(112))
        assertEquals(listOf(Outcome.Unfinished, Outcome.Unfinished), listOf(silent, pending).map(::outcome))
        tracker.settle(ms(113))
        assertEquals(Stamp(ms(20), ms(10), ms(30), Grade.D, "model: next vsync and one period"), stamp(silent))
        assertEquals(Grade.C, stamp(pending)?.grade)
        assertEquals(1, fence.closed)
    }

    @Test
    fun `without better evidence two results before one vsync are one frame of the screen`() {
        val tracker = tracker(Grade.D)
        val frames = listOf(tracker.submit(3), tracker.submit(7), tracker.submit(11))
        tracker.settle(ms(19))
        assertEquals(List(3) { Outcome.Unfinished }, frames.map(::outcome))
        tracker.settle(ms(40))
        assertEquals(listOf(Outcome.Superseded, Outcome.Presented, Outcome.Presented), frames.map(::outcome))
        assertEquals(listOf(null, ms(20), ms(30)), frames.map { stamp(it)?.value })
    }

    @Test
    fun `an emulator's fences and timelines are not believed`() {
        val tracker = tracker(Grade.D)
        val frame = tracker.submit(3, expectedMs = 12)
        val fence = signalled(11)
        tracker.completed(frame, ms(10), fence)
        tracker.settle(ms(50))
        assertEquals(Grade.D, stamp(frame)?.grade)
        assertEquals(1, fence.closed)
    }

    @Test
    fun `a frame whose result could not be shown ends once, as failed, and those round it are settled`() {
        val tracker = tracker()
        var now = ms(0)
        var surface = true
        var compositor = {}
        val loop = FrameLoop<Unit, String>(
            converter = { _, _ -> },
            pipeline = { _, _ -> "result" },
            display = { frame, _, at ->
                tracker.submit(frame, at, expected = null) {
                    compositor = { tracker.completed(frame, at + 7 * MS, signalled(at.ns / MS + 17)) }
                    check(surface) { "the surface is lost" }
                }
            },
            ledger = ledger,
            clock = { now },
        )
        for (at in listOf(3L, 13, 23)) {
            now = ms(at)
            surface = at != 13L
            loop.process(ledger.captured(0), Unit)
            compositor()
        }
        tracker.settle(ms(200))
        tracker.finish()
        val failed = Outcome.Failed("the surface is lost")
        assertEquals(listOf(Outcome.Presented, failed, Outcome.Presented), ledger.records().map { it.outcome })
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `a frame that is still being shown is not settled, however long that takes`() {
        val tracker = tracker(Grade.D)
        val frame = ledger.captured(0)
        ledger.submitted(frame, ms(3))
        assertThrows(IllegalStateException::class.java) {
            tracker.submit(frame, ms(3), expected = null) {
                tracker.settle(ms(500))
                error("no buffer came free")
            }
        }
        tracker.finish()
        assertEquals(Outcome.Unfinished, outcome(frame))
    }

    @Test
    fun `a second callback changes nothing and its fence is closed`() {
        val tracker = tracker()
        val frame = tracker.submit(3)
        tracker.completed(frame, ms(10), signalled(20))
        val second = signalled(30)
        tracker.completed(frame, ms(20), second)
        tracker.settle(ms(31))
        assertEquals(ms(20), stamp(frame)?.value)
        val late = signalled(40)
        tracker.completed(frame, ms(30), late)
        assertEquals(listOf(1, 1), listOf(second, late).map { it.closed })
    }

    @Test
    fun `at the end everything is settled with what is known`() {
        val tracker = tracker()
        val known = tracker.submit(3)
        tracker.completed(known, ms(10), signalled(20))
        val unknown = tracker.submit(13)
        tracker.finish()
        assertEquals(listOf(Grade.A, Grade.D), listOf(known, unknown).map { stamp(it)?.grade })
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `whatever a compositor does, the last result of each frame of the screen is presented and no other`() =
        runBlocking<Unit> {
            checkAll(300, Arb.long()) { seed ->
                val random = Random(seed)
                val ledger = Ledger(emptyList(), 40) { MonotonicNs(it) }
                val tracker = PresentTracker(ledger, VsyncModel(ms(0), 10 * MS), Grade.A)
                var now = 1L
                val events = ArrayList<Triple<Long, Long, () -> Unit>>()
                val latches = List(40) { frame ->
                    now += random.nextInt(25)
                    val submitted = now
                    val latch = (submitted / 10 + 1) * 10
                    val heard = latch + random.nextInt(30)
                    val signal = latch + 10
                    val fence = FakeFence()
                    events.add(
                        Triple(submitted, 0) {
                            ledger.captured(0)
                            ledger.submitted(frame.toLong(), ms(submitted))
                            tracker.submitted(frame.toLong(), ms(submitted))
                        },
                    )
                    events.add(Triple(signal, 1) { fence.signalTimeNs = signal * MS })
                    events.add(Triple(heard, 2) { tracker.completed(frame.toLong(), ms(latch), fence) })
                    latch
                }
                for ((at, _, event) in events.sortedWith(compareBy({ it.first }, { it.second }))) {
                    event()
                    if (random.nextBoolean()) tracker.settle(ms(at))
                }
                tracker.settle(ms(now + 100))
                val shown = latches.indices.filter { i -> latches.drop(i + 1).none { it == latches[i] } }
                val records = ledger.records()
                assertEquals(shown, records.filter { it.outcome == Outcome.Presented }.map { it.id.toInt() })
                for (i in shown) assertEquals(ms(latches[i] + 10), records[i].presented?.value)
                assertTrue(records.all { it.presented?.grade ?: Grade.A == Grade.A })
                assertEquals(emptyList<Violation>(), ledger.violations())
            }
        }

    @Test
    fun `the model follows the screen's vsync and rate`() {
        val model = VsyncModel(ms(5), 10 * MS)
        assertEquals(ms(25), model.stamp(ms(5)).value)
        assertEquals(ms(15), model.stamp(ms(0)).value)
        model.vsync(ms(101))
        assertEquals(ms(121), model.stamp(ms(109)).value, "one vsync says nothing of the period")
        model.vsync(ms(109))
        assertEquals(
            Stamp(ms(125), ms(117), ms(133), Grade.D, "model: next vsync and one period"),
            model.stamp(ms(110)),
        )
        // Two were missed, one is told twice.
        model.vsync(ms(133))
        model.vsync(ms(133))
        assertEquals(ms(149), model.stamp(ms(140)).value)
        for (at in 149L..309 step 16) model.vsync(ms(at))
        assertEquals(ms(341), model.stamp(ms(310)).value, "half as fast now")
        assertThrows(IllegalArgumentException::class.java) { VsyncModel(ms(1), 0) }
    }
}
