package org.litebundle.app

import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.os.PowerManager
import android.os.SystemClock
import android.util.Range
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.Overlay
import org.litebundle.app.run.CameraSession
import org.litebundle.app.run.LiveView
import org.litebundle.app.run.LoadedBundle
import org.litebundle.app.run.SessionData
import org.litebundle.app.run.SessionSetup
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.clock.ClockDomain
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.display.Grade
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.power.ThermalStatus
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowPausedSystemClock
import org.robolectric.shadows.ShadowSystemClock
import java.time.Duration
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger

/** Robolectric opens a camera from API 33 on. */
@RunWith(AppTestRunner::class)
@Config(sdk = [33], shadows = [FakeImageReader::class, FakeCameraDevice::class, FakeCaptureSession::class])
class CameraSessionTest {
    private val shown = Collections.synchronizedList(ArrayList<Long>())
    private val open = Collections.synchronizedSet(HashSet<FakeImage>())
    private val failures = Collections.synchronizedList(ArrayList<String>())
    private val views = Collections.synchronizedList(ArrayList<LiveView>())

    private val gray = FakeImage.picture(64, 64)

    /** What the overlay does with each frame. */
    @Volatile
    private var show: (Long) -> Unit = {}

    @Before
    fun camera() {
        FakeCamera.reset()
        Phone.allowCamera()
        Phone.addCamera()
    }

    private fun record(choice: (CameraChoice) -> CameraChoice = { it }, frames: (CameraSession) -> Unit): SessionData =
        LoadedBundle.load { Bundle.open(Phone.example) }.use {
            val overlay = object : Overlay {
                override fun show(frame: Long, drawing: Drawing) {
                    show(frame)
                    shown.add(frame)
                }

                override fun close() = Unit
            }
            val found = choice(checkNotNull(CameraChoice.of(Phone.app.service(CameraManager::class.java))))
            val setup = SessionSetup("r1", it, found, null, false, 60, 16_666_667, { 0 }, { _, _ -> overlay })
            val session = CameraSession(Phone.app, setup, views::add, failures::add)
            session.start()
            Phone.until { FakeCamera.callback != null || failures.isNotEmpty() }
            frames(session)
            session.finish()
        }

    private fun frame(timestampNs: Long = System.nanoTime() - 30_000_000) =
        FakeImage(timestampNs, gray, closed = open::remove).also { open.add(it) }

    @Test
    fun `frames go from the camera to the screen, and each is accounted for`() {
        shadowOf(
            Phone.app.service(PowerManager::class.java),
        ).setCurrentThermalStatus(PowerManager.THERMAL_STATUS_MODERATE)
        val data = record {
            repeat(12) { i ->
                val image = frame()
                val number = FakeCamera.begin(image.timestamp)
                // Results and pictures come in any order.
                if (i % 2 == 0) FakeCamera.result(number, image.timestamp)
                FakeCamera.image(image)
                if (i % 2 == 1) FakeCamera.result(number, image.timestamp)
                Phone.until { shown.size > i }
            }
            val lost = FakeCamera.begin(System.nanoTime() - 30_000_000)
            FakeCamera.lose(lost)
            FakeCamera.result(lost, System.nanoTime() - 30_000_000)
            // Its capture result never comes.
            val alone = frame()
            FakeCamera.begin(alone.timestamp)
            FakeCamera.image(alone)
        }
        val records = data.ledger.records()
        assertEquals(emptyList<Any>(), data.ledger.violations())
        assertEquals(14, records.size)
        assertEquals(12, records.count { it.outcome in listOf(Outcome.Presented, Outcome.Superseded) })
        assertEquals(Outcome.Dropped(DropCause.CAMERA), records[12].outcome)
        assertEquals(Outcome.Dropped(DropCause.QUEUE), records[13].outcome)
        assertEquals("every picture is closed", emptySet<FakeImage>(), open)
        assertEquals(emptyList<String>(), failures)
        val presented = records.first { it.outcome == Outcome.Presented }
        assertTrue(checkNotNull(presented.presented).grade >= Grade.C)
        assertEquals(4_000_000L + 10_000_000L, presented.exposureMid!! - presented.exposureStart!!)
        assertEquals(SensorClock.Inferred(ClockDomain.MONOTONIC), data.clock)
        assertEquals(ThermalStatus.MODERATE, data.thermal.first().status)
    }

    @Test
    fun `the newest frame wins while the pipeline is busy`() {
        val data = record {
            repeat(10) { FakeCamera.send(frame()) }
            Phone.until { shown.isNotEmpty() }
        }
        val records = data.ledger.records()
        assertEquals(emptyList<Any>(), data.ledger.violations())
        assertEquals(10, records.size)
        assertTrue(records.any { it.outcome == Outcome.Dropped(DropCause.BUSY) })
        assertEquals(emptySet<FakeImage>(), open)
    }

    @Test
    fun `the request has the fixed rate that was chosen`() {
        record {}
        assertEquals(Range(30, 30), FakeCamera.request?.get(CaptureRequest.CONTROL_AE_TARGET_FPS_RANGE))
        assertNotNull(FakeCamera.session)
    }

    @Test
    fun `a frame that the overlay could not show failed, and the next one runs`() {
        val asked = AtomicInteger()
        show = { check(asked.incrementAndGet() != 2) { "the surface is lost" } }
        val data = record {
            repeat(3) { i ->
                FakeCamera.send(frame())
                Phone.until { asked.get() > i && FakeCamera.held.isEmpty() }
            }
        }
        assertEquals(emptyList<Any>(), data.ledger.violations())
        assertEquals(Outcome.Failed("the surface is lost"), data.ledger.records()[1].outcome)
        assertEquals(listOf(0L, 2L), shown)
        assertEquals(emptyList<String>(), failures)
    }

    /** What sends [frames] while the pipeline has a frame and another waits for it; then both come through. */
    private fun whileBusy(frames: () -> Unit) {
        val release = CountDownLatch(1)
        val busy = CountDownLatch(1)
        show = {
            busy.countDown()
            release.await()
        }
        FakeCamera.send(frame())
        busy.await()
        FakeCamera.send(frame())
        frames()
        FakeCamera.idle()
        release.countDown()
        Phone.until { shown.size == 2 }
    }

    @Test
    fun `as many pictures may be held as can wait for their capture results`() {
        val data = record {
            whileBusy {
                repeat(30) {
                    val alone = frame()
                    FakeCamera.begin(alone.timestamp)
                    FakeCamera.image(alone)
                }
            }
            FakeCamera.send(frame())
            Phone.until { shown.size == 3 }
        }
        assertEquals(emptyList<String>(), failures)
        assertEquals(emptyList<Any>(), data.ledger.violations())
        val outcomes = data.ledger.records().map { it.outcome }
        assertEquals(List(30) { Outcome.Dropped(DropCause.QUEUE) }, outcomes.subList(2, 32))
        assertEquals(33, outcomes.size)
        assertEquals(emptySet<FakeImage>(), open)
    }

    @Test
    fun `where the reader has too little room, the queue drops frames, and the run goes on`() {
        FakeCamera.room = 2
        val data = record {
            whileBusy { repeat(30) { FakeCamera.send(frame()) } }
            Phone.until {
                FakeCamera.send(frame())
                FakeCamera.idle()
                FakeCamera.images.isEmpty()
            }
        }
        assertEquals(emptyList<String>(), failures)
        assertEquals(emptyList<Any>(), data.ledger.violations())
        assertTrue(data.ledger.records().any { it.outcome == Outcome.Dropped(DropCause.QUEUE) })
        assertEquals(emptySet<FakeImage>(), open)
    }

    @Test
    fun `a picture that is lost after its capture result is the camera's loss`() {
        val data = record {
            val at = System.nanoTime() - 30_000_000
            val number = FakeCamera.begin(at)
            FakeCamera.result(number, at)
            FakeCamera.lose(number)
            FakeCamera.idle()
        }
        assertEquals(listOf(Outcome.Dropped(DropCause.CAMERA)), data.ledger.records().map { it.outcome })
        assertEquals(emptyList<Any>(), data.ledger.violations())
    }

    @Test
    fun `a camera that the system closed in between is a reason, told once`() {
        FakeCamera.refusal = IllegalStateException("CameraDevice was already closed")
        record {}
        assertEquals(listOf("the camera was closed: CameraDevice was already closed"), failures)
    }

    @Test
    fun `a camera that is not there any more is a reason, told once`() {
        record({ it.copy(cameraId = "9") }) {}
        assertEquals(1, failures.size)
    }

    @Test
    @Config(shadows = [Boottime::class])
    fun `the view tells the latency by the clock of a phone that slept`() {
        record({ it.copy(timestampsAreRealtime = true) }) {
            var sent = 0
            Phone.until {
                if (shown.size == sent && sent++ < 15) {
                    FakeCamera.send(frame(Boottime.now() - 30_000_000))
                }
                ShadowSystemClock.advanceBy(Duration.ofMillis(1))
                views.any { it.latencyNs != null }
            }
        }
        val latencies = views.mapNotNull { it.latencyNs }
        assertTrue("$latencies", latencies.all { it in 20_000_000L..2_000_000_000L })
    }
}

/** The clock of a phone that slept for 38 hours. */
@Implements(SystemClock::class)
class Boottime : ShadowPausedSystemClock() {
    companion object {
        @JvmStatic
        @Implementation(methodName = "elapsedRealtimeNanos")
        fun now() = System.nanoTime() + TimeUnit.HOURS.toNanos(38)
    }
}
