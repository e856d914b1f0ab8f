package org.litebundle.app

import android.app.Activity
import android.content.Context
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.display.Drawer
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.DrawnItem
import org.litebundle.app.run.LoadedBundle
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.png.Png
import org.litebundle.core.report.Corrections
import org.robolectric.Robolectric
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowToast
import java.io.File
import java.nio.file.Files

@RunWith(AppTestRunner::class)
@Config(sdk = [33])
class CorrectorTest {
    private val log = File(Phone.app.filesDir, "corrections.jsonl")
    private val unreadable = File(Phone.app.filesDir, "corrections.unreadable.jsonl")
    private val drawing = Drawing(64, 64, listOf(DrawnItem("r1/0", listOf(0f, 0f, 9f, 9f), "x")), counter = null)

    private fun corrector(): Corrector {
        Phone.app.getSharedPreferences("corrections", Context.MODE_PRIVATE).edit().putBoolean("consent", true).commit()
        return Corrector(Robolectric.buildActivity(Activity::class.java).get()) {}
    }

    private fun told() = ShadowToast.getTextOfLatestToast().orEmpty()

    @Test
    fun `a log that cannot be read is put aside, and a new one begun`() {
        log.writeText("hello\n")
        val corrector = corrector()
        assertTrue(told(), "The file of corrections failed" in told())
        assertEquals("hello\n", unreadable.readText())
        corrector.shown(drawing)
        assertEquals(Corrections(1, 0), corrector.summary())
        corrector.withdraw()
        assertFalse("withdrawing deletes what was put aside, too", log.exists() || unreadable.exists())
        assertNull(corrector.summary())
    }

    @Test
    fun `on a full disk the app goes on, and counts no more`() {
        Files.createSymbolicLink(log.toPath(), File("/dev/full").toPath())
        val corrector = corrector()
        corrector.shown(drawing)
        assertTrue(told(), "The file of corrections failed" in told())
        assertNull(corrector.summary())
        corrector.shown(drawing)
        corrector.close()
    }

    @Test
    fun `a run that is done again shows other results`() {
        LoadedBundle.load { Bundle.open(Phone.example) }.use { loaded ->
            val vector = loaded.bundle.manifest.golden.pipeline.vectors.first()
            val photo = Png.decode(loaded.bundle.file(vector.photo))
            val result = loaded.runner.run(photo)
            val ids =
                List(2) { Drawer(loaded.bundle, "live").draw(result, photo.width, photo.height, null).items[0].id }
            assertNotEquals(ids[0], ids[1])
        }
    }
}
