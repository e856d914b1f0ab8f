package org.litebundle.app

import android.hardware.camera2.CameraManager
import android.hardware.camera2.CaptureRequest
import android.os.PowerManager
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
import java.util.Collections

/** Robolectric opens a camera from API 33 on. */
@RunWith(AppTestRunner::class)
@Config(sdk = [33], shadows = [FakeImageReader::class, FakeCaptureSession::class])
class CameraSessionTest {
    private val shown = Collections.synchronizedList(ArrayList<Long>())
    private val open = Collections.synchronizedSet(HashSet<FakeImage>())
    private val failures = Collections.synchronizedList(ArrayList<String>())

    @Before
    fun camera() {
        FakeCamera.reset()
        Phone.allowCamera()
        Phone.addCamera()
    }

    private fun record(frames: (CameraSession) -> Unit): SessionData = LoadedBundle.load {
        Bundle.open(Phone.example)
    }.use {
        val overlay = object : Overlay {
            override fun show(frame: Long, drawing: Drawing) {
                shown.add(frame)
            }

            override fun close() = Unit
        }
        val choice = checkNotNull(CameraChoice.of(Phone.app.service(CameraManager::class.java)))
        val setup = SessionSetup("r1", it, choice, null, false, 60, 16_666_667, { 0 }, { _, _ -> overlay })
        val session = CameraSession(Phone.app, setup, {}, failures::add)
        session.start()
        Phone.until { FakeCamera.callback != null }
        frames(session)
        session.finish()
    }

    private fun frame(): FakeImage = FakeImage(System.nanoTime() - 30_000_000, 64, open::remove).also(open::add)

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
            repeat(10) {
                val image = frame()
                FakeCamera.result(FakeCamera.begin(image.timestamp), image.timestamp)
                FakeCamera.image(image)
            }
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
}
