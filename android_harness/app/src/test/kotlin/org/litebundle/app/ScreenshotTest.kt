package org.litebundle.app

import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.Rect
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.DrawnItem
import org.litebundle.app.display.Painter
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.frame.Plane
import org.litebundle.core.json.Json
import org.litebundle.core.optical.StripReader
import org.robolectric.Robolectric
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowStatFs
import java.io.File
import java.nio.ByteBuffer
import kotlin.math.abs

/** Pictures of the app, in target/screenshots; what they must show is asserted, how they look is for eyes. */
@RunWith(AppTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = "w360dp-h720dp-xhdpi")
class ScreenshotTest {
    private val folder = File(Phone.root, "android_harness/app/target/screenshots").apply { mkdirs() }

    private fun painter() = Painter(2f, Phone.app.getColor(R.color.accent), Phone.app.getColor(R.color.ink))

    private fun save(name: String, picture: Bitmap) =
        File(folder, "$name.png").outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }

    private fun overlay(drawing: Drawing, width: Int, height: Int): Bitmap {
        val drawn = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        painter().draw(Canvas(drawn), drawing)
        return drawn
    }

    /** A golden photo of the example, with what its golden vectors say is in it. */
    private fun golden(): Pair<Bitmap, Drawing> = Bundle.open(Phone.example).use { bundle ->
        val vector = bundle.manifest.golden.pipeline.vectors.first()
        val png = bundle.file(vector.photo).let { ByteArray(it.remaining()).also(it::get) }
        val photo = BitmapFactory.decodeByteArray(png, 0, png.size)
        val items = (Json.parse(bundle.file(vector.items)) as Json.Array).items.mapIndexed { i, item ->
            val members = (item as Json.Object).members
            val box = (members["box"] as Json.Array).items.map { (it as Json.Number).value.toFloat() }
            DrawnItem("$i", box, (members["text"] as Json.Text).value)
        }
        photo to Drawing(photo.width, photo.height, items, counter = null)
    }

    @Test
    fun `results are drawn where they are`() {
        val (photo, drawing) = golden()
        val width = 720
        val height = width * photo.height / photo.width
        val drawn = overlay(drawing, width, height)
        for (item in drawing.items) {
            val x = (item.box[0] * width / photo.width).toInt()
            val y = ((item.box[1] + item.box[3]) / 2 * height / photo.height).toInt()
            assertTrue("$item", isNear(Phone.app.getColor(R.color.accent), drawn.getPixel(x, y)))
        }
        assertEquals("between results the camera is seen", 0, drawn.getPixel(1, height - 1))
        val shown = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)
        with(Canvas(shown)) {
            drawBitmap(photo, null, Rect(0, 0, width, height), null)
            drawBitmap(drawn, 0f, 0f, null)
        }
        save("results", shown)
    }

    /** Blending rounds. */
    private fun isNear(expected: Int, found: Int) =
        listOf(0, 8, 16, 24).all { abs((expected ushr it and 0xFF) - (found ushr it and 0xFF)) <= 2 }

    @Test
    fun `the strip that is drawn is the strip that is read`() {
        val drawn = overlay(Drawing(640, 480, emptyList(), counter = 1234), 960, 720)
        save("strip", drawn)
        val luma = ByteArray(drawn.width * drawn.height) { i ->
            (drawn.getPixel(i % drawn.width, i / drawn.width) and 0xFF).toByte()
        }
        val sighting = StripReader().read(Plane(ByteBuffer.wrap(luma), drawn.width, 1), drawn.width, drawn.height)
        assertEquals(1234, sighting?.counter)
    }

    private fun screenshot(name: String, prepare: (RunScreen) -> Unit): List<String> {
        ShadowStatFs.registerStats(Phone.app.filesDir, 1 shl 20, 1 shl 19, 1 shl 19)
        val activity = Robolectric.buildActivity(RunActivity::class.java).setup().get()
        val screen = activity.window.decorView.all().filterIsInstance<RunScreen>().single()
        prepare(screen)
        val root = activity.window.decorView
        root.measure(exactly(720), exactly(1440))
        root.layout(0, 0, 720, 1440)
        val picture = Bitmap.createBitmap(720, 1440, Bitmap.Config.ARGB_8888)
        root.draw(Canvas(picture))
        save(name, picture)
        return root.words()
    }

    private fun exactly(size: Int) =
        android.view.View.MeasureSpec.makeMeasureSpec(size, android.view.View.MeasureSpec.EXACTLY)

    @Test
    fun `the permission is asked for with its reason`() {
        assertTrue("Allow the camera" in screenshot("permission") {})
    }

    @Test
    @Config(qualifiers = "ko-w360dp-h720dp-xhdpi")
    fun `and in Korean`() {
        assertTrue("카메라 허용" in screenshot("permission-ko") {})
    }

    @Test
    fun `the live line gives the latency and its grade`() {
        val words = screenshot("live") {
            it.showLive()
            it.setLine(Phone.app.getString(R.string.live_latency, 87.4, "A"), Phone.app.getString(R.string.hint_tap))
            it.setWithdraw {}
        }
        assertTrue("87 ms capture to display · grade A" in words)
    }
}
