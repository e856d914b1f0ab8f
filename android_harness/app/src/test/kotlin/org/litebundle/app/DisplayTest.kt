package org.litebundle.app

import android.hardware.SyncFence
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.display.BufferPool
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.DrawnItem
import org.litebundle.app.display.FrameTimelines
import org.litebundle.app.display.Release
import org.litebundle.app.display.SdkFence
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.PresentTracker
import org.litebundle.core.display.VsyncModel
import org.litebundle.core.ledger.Ledger
import org.robolectric.annotation.Config
import java.time.Duration
import kotlin.concurrent.thread

@RunWith(AppTestRunner::class)
@Config(sdk = [35])
class DisplayTest {
    @Test
    fun `a fence of the platform that is none lowers the grade, and its latch is no presentation`() {
        val ledger = Ledger(emptyList(), capacity = 1) { MonotonicNs(it) }
        val tracker = PresentTracker(ledger, VsyncModel(MonotonicNs(0), PERIOD_NS), Grade.A)
        val frame = ledger.captured(0)
        ledger.submitted(frame, MonotonicNs(100))
        tracker.submitted(frame, MonotonicNs(100))
        val fence = SdkFence(SyncFence.createEmpty())
        assertFalse(fence.isValid)
        tracker.completed(frame, MonotonicNs(200), fence)
        tracker.finish()
        val record = checkNotNull(ledger.find(frame))
        assertEquals(Grade.D, record.presented?.grade)
        assertEquals(MonotonicNs(200), record.latched)
        assertEquals(MonotonicNs(2 * PERIOD_NS), record.presented?.value)
    }

    private class FakeRelease(var signalled: Boolean) : Release {
        var closed = 0

        override fun await(timeout: Duration) = signalled

        override fun close() {
            closed++
        }
    }

    @Test
    fun `a buffer that is still read is not drawn into`() {
        val pool = BufferPool(listOf("a"))
        assertEquals("a", pool.take(Duration.ZERO))
        assertNull(pool.take(Duration.ZERO))
        val release = FakeRelease(signalled = false)
        pool.give("a", release)
        assertNull(pool.take(Duration.ZERO))
        assertEquals(0, release.closed)
        release.signalled = true
        assertEquals("a", pool.take(Duration.ZERO))
        assertEquals(1, release.closed)
    }

    @Test
    fun `a buffer that comes back in time is waited for`() {
        val pool = BufferPool(listOf("a"))
        pool.take(Duration.ZERO)
        val giver = thread { pool.give("a", FakeRelease(signalled = true)) }
        assertEquals("a", pool.take(Duration.ofSeconds(30)))
        giver.join()
    }

    @Test
    fun `every release is closed, before the end and after it`() {
        val pool = BufferPool(listOf("a", "b"))
        repeat(2) { pool.take(Duration.ZERO) }
        val releases = List(2) { FakeRelease(signalled = true) }
        pool.give("a", releases[0])
        pool.close()
        pool.give("b", releases[1])
        assertEquals(listOf(1, 1), releases.map { it.closed })
    }

    @Test
    fun `a buffer is expected with the first timeline whose deadline it makes`() {
        val timelines = FrameTimelines(longArrayOf(10, 20, 30), longArrayOf(25, 35, 45))
        assertEquals(MonotonicNs(25), timelines.expected(MonotonicNs(10)))
        assertEquals(MonotonicNs(35), timelines.expected(MonotonicNs(11)))
        assertNull(timelines.expected(MonotonicNs(31)))
    }

    @Test
    fun `a result's row of the sensor follows the turn of the picture`() {
        val item = DrawnItem("0", listOf(0f, 0f, 20f, 40f), "x")
        val drawing = Drawing(100, 100, listOf(item), counter = null)
        assertEquals(
            listOf(0.2, 0.9, 0.8, 0.1),
            listOf(0, 90, 180, 270).map {
                Math.round(100 * drawing.sensorRow(it)) /
                    100.0
            },
        )
        assertEquals(0.5, drawing.copy(items = emptyList()).sensorRow(90), 0.0)
    }

    @Test
    fun `a tap finds the smallest item under it`() {
        val large = DrawnItem("large", listOf(0f, 0f, 90f, 90f), "a")
        val small = DrawnItem("small", listOf(10f, 10f, 30f, 30f), "b")
        val drawing = Drawing(100, 100, listOf(large, small), counter = null)
        assertEquals(small, drawing.itemAt(40f, 40f, 200, 200))
        assertEquals(large, drawing.itemAt(100f, 100f, 200, 200))
        assertNull(drawing.itemAt(199f, 199f, 200, 200))
    }

    private companion object {
        const val PERIOD_NS = 16_666_667L
    }
}
