package org.litebundle.app

import android.app.AlertDialog
import android.content.Intent
import android.content.res.Configuration
import android.os.Looper
import android.os.SystemClock
import android.view.MotionEvent
import android.view.SurfaceView
import android.widget.EditText
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.run.Order
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.json.Json
import org.litebundle.core.png.Png
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowDialog
import org.robolectric.shadows.ShadowStatFs
import org.robolectric.shadows.ShadowSystemClock
import java.io.File
import java.time.Duration

/** Runs through the activity: the camera shows a golden photo, and the user corrects what is read on it. */
@RunWith(AppTestRunner::class)
@Config(
    sdk = [33],
    shadows = [
        FakeHardwareBuffer::class,
        FakeSurfaceView::class,
        FakeImageReader::class,
        FakeCameraDevice::class,
        FakeCaptureSession::class,
    ],
)
class LiveRunTest {
    private val log = File(Phone.app.filesDir, "corrections.jsonl")
    private lateinit var controller: ActivityController<RunActivity>
    private val activity get() = controller.get()
    private val screen get() = activity.window.decorView
    private lateinit var photo: YuvImage
    private lateinit var box: List<Double>

    @Before
    fun scene() {
        FakeCamera.reset()
        Phone.allowCamera()
        Phone.addCamera()
        ShadowStatFs.registerStats(Phone.app.filesDir, 1 shl 20, 1 shl 19, 1 shl 19)
        Bundle.open(Phone.example).use { bundle ->
            val vector = bundle.manifest.golden.pipeline.vectors.first()
            val image = Png.decode(bundle.file(vector.photo))
            photo = FakeImage.picture(image.width, image.height) { x, y -> image.pixels[3 * (y * image.width + x) + 1] }
            val item = (Json.parse(bundle.file(vector.items)) as Json.Array).items.first() as Json.Object
            box = (item.members.getValue("box") as Json.Array).items.map { (it as Json.Number).value }
        }
    }

    /** What a test left running would go on in the next one. */
    @After
    fun leave() {
        if (!activity.isDestroyed) controller.pause()
        Phone.until { Thread.getAllStackTraces().keys.none { it.name == "run" } }
    }

    private fun begin() {
        val plan = File(Phone.app.cacheDir, "plan.json")
        plan.writeText("""{"format_version":"1.0","run":"r1","kind":"live","seconds":$SECONDS,"recording":null}""")
        val intent = Intent().putExtra(Order.PLAN, plan.path).putExtra(Order.BUNDLE, Phone.example.path)
        controller = Robolectric.buildActivity(RunActivity::class.java, intent).setup()
        Phone.until { FakeCamera.callback != null }
    }

    /** Tap where the first result is, until that is answered: it is on the screen some time after its frame. */
    private fun tapResult(): AlertDialog {
        ShadowDialog.reset()
        FakeCamera.send(FakeImage(System.nanoTime() - 30_000_000, photo))
        Phone.until {
            ShadowSystemClock.advanceBy(FRAME)
            tap()
            ShadowDialog.getLatestDialog() != null
        }
        return dialog()
    }

    private fun tap() {
        val results = screen.all().filterIsInstance<SurfaceView>().last()
        val x = (box[0] + box[2]) / 2 * results.width / photo.width
        val y = (box[1] + box[3]) / 2 * results.height / photo.height
        val now = SystemClock.uptimeMillis()
        for (action in listOf(MotionEvent.ACTION_DOWN, MotionEvent.ACTION_UP)) {
            results.dispatchTouchEvent(MotionEvent.obtain(now, now, action, x.toFloat(), y.toFloat(), 0))
        }
    }

    private fun dialog() = ShadowDialog.getLatestDialog() as AlertDialog

    private fun press(dialog: AlertDialog, button: Int) {
        dialog.getButton(button).performClick()
        shadowOf(Looper.getMainLooper()).idle()
    }

    private fun consent(): AlertDialog {
        press(tapResult(), AlertDialog.BUTTON_POSITIVE)
        return dialog()
    }

    private fun field(dialog: AlertDialog) =
        checkNotNull(dialog.window).decorView.all().filterIsInstance<EditText>().single()

    private fun correct(dialog: AlertDialog, text: String) {
        field(dialog).setText(text)
        press(dialog, AlertDialog.BUTTON_POSITIVE)
    }

    private fun title(resource: Int) = activity.getString(resource)

    private fun titleOf(dialog: AlertDialog) = shadowOf(dialog).title.toString()

    /** What the report says of corrections when the run has ended. */
    private fun reported(): Map<String, Double>? {
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(SECONDS))
        Phone.until { Phone.markers().size == 2 }
        val done = "RUN r1 DONE "
        assertTrue("${Phone.markers()}", Phone.markers().last().startsWith(done))
        val report = Json.parse(File(Phone.markers().last().removePrefix(done)).readText()) as Json.Object
        val corrections = report.members.getValue("corrections") as? Json.Object ?: return null
        return corrections.members.mapValues { (it.value as Json.Number).value }
    }

    private fun corrected() = log.readLines().map {
        (Json.parse(it) as Json.Object).members
    }.filter { "corrected" in it }

    @Test
    fun `a result that is corrected with consent is kept, and counted in the report`() {
        begin()
        val asked = tapResult()
        assertEquals(title(R.string.consent_title), titleOf(asked))
        assertFalse("nothing is kept before the answer", log.exists())
        press(asked, AlertDialog.BUTTON_POSITIVE)
        val before = field(dialog()).text.toString()
        assertEquals(title(R.string.correct_title), titleOf(dialog()))
        correct(dialog(), "x+y")
        val line = corrected().single()
        assertEquals(Json.Text(before), line["before"])
        assertEquals(Json.Text("x+y"), line["after"])
        val again = tapResult()
        assertEquals("consent is asked for once", title(R.string.correct_title), titleOf(again))
        press(again, AlertDialog.BUTTON_NEGATIVE)
        assertEquals("what is cancelled is no correction", 1, corrected().size)
        val counted = checkNotNull(reported())
        assertEquals(1.0, counted.getValue("corrected"), 0.0)
        assertTrue("$counted", counted.getValue("shown") >= 1)
        assertEquals(counted.getValue("corrected") / counted.getValue("shown"), counted.getValue("share"), 1e-12)
    }

    @Test
    fun `without consent nothing is kept and nothing counted, and the next tap asks again`() {
        begin()
        for (answer in listOf<(AlertDialog) -> Unit>({ press(it, AlertDialog.BUTTON_NEGATIVE) }, { it.cancel() })) {
            val asked = tapResult()
            assertEquals(title(R.string.consent_title), titleOf(asked))
            answer(asked)
            assertFalse("it asks nothing more", dialog().isShowing)
        }
        assertFalse(log.exists())
        assertNull(reported())
    }

    @Test
    fun `consent that is withdrawn deletes what was kept, and counts no more`() {
        begin()
        correct(consent(), "x+y")
        assertEquals(1, corrected().size)
        screen.button(title(R.string.consent_withdraw)).performClick()
        assertFalse(log.exists())
        assertFalse(title(R.string.consent_withdraw) in screen.words())
        assertEquals(title(R.string.consent_title), titleOf(tapResult()))
        assertNull(reported())
    }

    @Test
    @Config(qualifiers = "ko")
    fun `what is being written outlasts a turn of the screen, in Korean too`() {
        begin()
        val asked = tapResult()
        assertEquals("수정한 내용을 보관할까요?", titleOf(asked))
        press(asked, AlertDialog.BUTTON_POSITIVE)
        val dialog = dialog()
        field(dialog).setText("넓이 = ½ × 밑변 × 높이")
        val turned = Configuration(activity.resources.configuration)
        turned.orientation = Configuration.ORIENTATION_LANDSCAPE
        controller.configurationChange(turned)
        assertTrue("it is still there", dialog.isShowing)
        press(dialog, AlertDialog.BUTTON_POSITIVE)
        assertEquals(Json.Text("넓이 = ½ × 밑변 × 높이"), corrected().single()["after"])
        assertEquals(1.0, checkNotNull(reported()).getValue("corrected"), 0.0)
    }

    @Test
    fun `text that is left as it was is no correction, and a second tap asks nothing more`() {
        begin()
        press(consent(), AlertDialog.BUTTON_POSITIVE)
        assertEquals(0, corrected().size)
        val open = tapResult()
        tap()
        assertEquals(open, dialog())
    }

    @Test
    fun `a question that is open when the activity ends is closed with it`() {
        begin()
        val dialog = consent()
        controller.pause().stop().destroy()
        assertFalse(dialog.isShowing)
    }

    /** At API 26 Robolectric waits behind a test for the camera's thread, which has ended; [StatesTest] leaves there. */
    @Test
    @Config(sdk = [33, 35])
    fun `leaving the app in mid-run ends it, and the log says that it was interrupted`() {
        begin()
        FakeCamera.send(FakeImage(System.nanoTime() - 30_000_000, photo))
        Phone.until { FakeCamera.images.isEmpty() }
        controller.pause()
        Phone.until { Phone.markers().last().startsWith("RUN r1 FAILED interrupted") && FakeCamera.held.isEmpty() }
        assertEquals(2, Phone.markers().size)
        controller.resume()
        assertEquals("it is not begun again by coming back", 2, Phone.markers().size)
    }

    private companion object {
        val FRAME: Duration = Duration.ofMillis(16)

        /** A frame that the app waits for moves the clock of a test, so that it goes many times too fast. */
        const val SECONDS = 600L
    }
}
