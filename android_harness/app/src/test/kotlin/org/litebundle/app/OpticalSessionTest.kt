package org.litebundle.app

import android.hardware.camera2.CameraManager
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.Overlay
import org.litebundle.app.run.CameraSession
import org.litebundle.app.run.LoadedBundle
import org.litebundle.app.run.ReportWriter
import org.litebundle.app.run.RunPlan
import org.litebundle.app.run.SessionSetup
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.json.Json
import org.litebundle.core.optical.Strip
import org.litebundle.core.verdict.RunKind
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowChoreographer
import java.time.Duration
import java.time.Instant
import java.util.Collections
import java.util.concurrent.TimeUnit

/** A mirror before the screen: frames show the strip of the result that was on the screen while they were exposed. */
@RunWith(AppTestRunner::class)
@Config(sdk = [33], shadows = [FakeImageReader::class, FakeCameraDevice::class, FakeCaptureSession::class])
class OpticalSessionTest {
    private class Shown(val counter: Long, val atNs: Long)

    private val shown = Collections.synchronizedList(ArrayList<Shown>())
    private val failures = Collections.synchronizedList(ArrayList<String>())

    @Before
    fun camera() {
        FakeCamera.reset()
        ShadowChoreographer.setFrameDelay(Duration.ofNanos(PERIOD_NS))
        Phone.allowCamera()
        Phone.addCamera()
    }

    private val overlay = object : Overlay {
        override fun show(frame: Long, drawing: Drawing) {
            shown.add(Shown(checkNotNull(drawing.counter), System.nanoTime()))
        }

        override fun close() = Unit
    }

    /** The members of the report of a run whose frames are [picture]s, one after each result. */
    private fun report(frames: Int, picture: () -> YuvImage): Map<String, Json> =
        LoadedBundle.load { Bundle.open(Phone.example) }.use { loaded ->
            val choice = checkNotNull(CameraChoice.of(Phone.app.service(CameraManager::class.java)))
            val setup = SessionSetup("o1", loaded, choice, null, true, 60, PERIOD_NS, { 0 }, { _, _ -> overlay })
            val session = CameraSession(Phone.app, setup, {}, failures::add)
            session.start()
            Phone.until { FakeCamera.callback != null }
            repeat(frames) { i ->
                // The screen claims that what it was given is lit two periods later at most.
                TimeUnit.NANOSECONDS.sleep(3 * PERIOD_NS)
                val begun = System.nanoTime()
                val exposed = picture()
                TimeUnit.NANOSECONDS.sleep(EXPOSURE_NS + SKEW_NS)
                FakeCamera.send(FakeImage(begun, exposed), EXPOSURE_NS, SKEW_NS)
                Phone.until { shown.size > i }
            }
            val plan = RunPlan("o1", RunKind.OPTICAL, 60, recording = null)
            val file = ReportWriter(Phone.app)
                .write(plan, Instant.EPOCH, loaded, emptyList(), session.finish(), refreshHz = 60.0, corrections = null)
            assertEquals(emptyList<String>(), failures)
            (Json.parse(file.readText()) as Json.Object).members
        }

    private fun Map<String, Json>.witness() = (getValue("witness") as Json.Object).members

    private fun Map<String, Json>.number(key: String) = (getValue(key) as Json.Number).value.toInt()

    private fun Map<String, Json>.refusals(): Map<String, String> {
        val reasons = (getValue("verdict") as Json.Object).members.getValue("reasons") as Json.Array
        return reasons.items.associate {
            val reason = (it as Json.Object).members
            (reason.getValue("code") as Json.Text).value to (reason.getValue("text") as Json.Text).value
        }
    }

    /** What the mirror shows of the strip on the screen [late] results ago. */
    private fun mirrored(late: Int): YuvImage {
        val counter = shown.getOrNull(shown.lastIndex - late)?.counter ?: return blank
        val light = Strip.bars(counter).flatMapIndexed { i, units -> List(units) { i % 2 == 1 } }
        return FakeImage.picture(WIDTH, HEIGHT) { x, y ->
            val unit = (WIDTH - 1 - x) / PIXELS - Strip.MARGIN
            val isDark = y in HEIGHT / 3 until 2 * HEIGHT / 3 && light.getOrNull(unit) == false
            if (isDark) DARK else LIGHT
        }
    }

    private val blank = FakeImage.picture(WIDTH, HEIGHT)

    @Test
    fun `a mirror that shows each result when the screen says so confirms the run`() {
        val report = report(frames = 40) { mirrored(late = 0) }
        val witness = report.witness()
        assertTrue("$witness", witness.number("pairs") >= 30)
        assertEquals("$witness", Json.Bool(true), witness["confirmed"])
        assertFalse("${report.refusals()}", "witness_unconfirmed" in report.refusals())
    }

    @Test
    fun `light that comes later than the screen says refuses the headline`() {
        val report = report(frames = 40 + LATE) { mirrored(LATE) }
        assertTrue("${report.witness()}", report.witness().number("pairs") >= 30)
        assertEquals(Json.Bool(false), report.witness()["confirmed"])
        assertTrue("the screen's times cannot be trusted" in report.refusals().getValue("witness_unconfirmed"))
    }

    @Test
    fun `without a strip in any frame there is no headline, and the way out is told`() {
        val report = report(frames = 3) { blank }
        assertEquals(0, report.witness().number("pairs"))
        assertTrue("let the mirror show it the whole strip" in report.refusals().getValue("witness_unconfirmed"))
    }

    private companion object {
        /** Of a display so fast that no test waits for it. */
        const val PERIOD_NS = 1_000_000L
        const val EXPOSURE_NS = 2_000_000L
        const val SKEW_NS = 1_000_000L
        const val PIXELS = 4
        const val WIDTH = PIXELS * (Strip.UNITS + 2 * Strip.MARGIN)
        const val HEIGHT = WIDTH / 2
        const val DARK: Byte = 40
        const val LIGHT: Byte = 120

        /** So many results take longer than the screen's longest claim, a panel's response and a period. */
        const val LATE = 10
    }
}
