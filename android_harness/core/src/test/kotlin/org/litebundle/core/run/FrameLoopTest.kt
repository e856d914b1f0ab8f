package org.litebundle.core.run

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.frame.LatestSlot
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.StageTimes
import org.litebundle.core.ledger.Violation
import java.lang.management.ManagementFactory

class FrameLoopTest {
    private var now = 100L
    private val clock = MonotonicClock { MonotonicNs(now) }
    private val ledger = Ledger(listOf("only"), 10) { MonotonicNs(it) }
    private val shown = ArrayList<Triple<Long, String, Long>>()

    /** Converting takes 3 ns, each part of the stage 1, 5 and 2. */
    private val loop = FrameLoop(
        converter = { width: Int, photo ->
            check(width > 0) { "a picture without columns" }
            photo.reshape(width, 1, 3)
            now += 3
        },
        pipeline = { photo, listener ->
            for ((mark, costNs) in StageMark.entries.zip(listOf(0L, 1, 0, 5, 0, 2))) {
                now += costNs
                listener.mark(0, mark, clock.now())
            }
            check(photo.width < 10) { "too wide" }
            "${photo.width} wide"
        },
        display = { frame, result: String, at ->
            check(photoIsShown) { "no surface" }
            shown.add(Triple(frame, result, at.ns))
        },
        ledger = ledger,
        clock = clock,
    )
    private var photoIsShown = true

    @Test
    fun `a frame is taken, converted, run and handed to the display`() {
        loop.process(ledger.captured(50), 7)
        assertEquals(listOf(Triple(0L, "7 wide", 111L)), shown)
        val record = ledger.records().single()
        fun at(ns: Long) = MonotonicNs(ns)
        assertEquals(at(100), record.acquired)
        assertEquals(listOf(StageTimes(at(103), at(104), at(104), at(109), at(109), at(111), 1)), record.stages)
        assertEquals(at(111), record.submitted)
        assertEquals(Outcome.Unfinished, record.outcome)
    }

    @Test
    fun `a frame costs no allocation, nor does the slot that it waits in`() {
        val ledger = Ledger(listOf("only"), 30_000) { MonotonicNs(it) }
        val result = "result"
        val loop = FrameLoop(
            converter = { picture: String, photo -> photo.reshape(picture.length, 1, 3) },
            pipeline = { _, listener ->
                for (mark in 0 until StageMark.entries.size) {
                    listener.mark(
                        0,
                        StageMark.entries[mark],
                        MonotonicNs(now++),
                    )
                }
                result
            },
            display = { frame, _: String, _ -> ledger.superseded(frame) },
            ledger = ledger,
            clock = { MonotonicNs(now++) },
        )
        val slot = LatestSlot<String>()

        fun frame() {
            slot.offer("older")
            val replaced = slot.offer("picture")
            loop.process(ledger.captured(now++), checkNotNull(slot.take()))
            check(replaced == "older")
        }
        val threads = ManagementFactory.getThreadMXBean() as com.sun.management.ThreadMXBean
        repeat(20_000) { frame() }
        val before = threads.currentThreadAllocatedBytes
        repeat(10_000) { frame() }
        val allocated = threads.currentThreadAllocatedBytes - before
        assertTrue(allocated < 1_000, "10000 frames allocated $allocated bytes")
        assertEquals(emptyList<Violation>(), ledger.violations().take(1))
    }

    @Test
    fun `a frame that fails says why, and the next one runs`() {
        loop.process(ledger.captured(50), 0)
        loop.process(ledger.captured(60), 12)
        photoIsShown = false
        loop.process(ledger.captured(70), 5)
        photoIsShown = true
        loop.process(ledger.captured(80), 6)
        val reasons = listOf("a picture without columns", "too wide", "no surface").map { Outcome.Failed(it) }
        assertEquals(reasons + Outcome.Unfinished, ledger.records().map { it.outcome })
        assertEquals(listOf("6 wide"), shown.map { it.second })
        assertNull(ledger.records()[0].stages.single())
    }
}
