package org.litebundle.app.run

import android.content.Context
import android.content.ContextWrapper
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.AppTestRunner
import org.litebundle.app.Phone
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.recording.RecordedClock
import org.litebundle.core.recording.RecordingInfo
import org.litebundle.core.recording.RecordingWriter
import org.litebundle.core.verdict.RunKind
import org.robolectric.annotation.Config
import java.io.File
import java.nio.ByteBuffer
import java.nio.file.Files

/** A run ends with one line, whatever happens. */
@RunWith(AppTestRunner::class)
@Config(sdk = [33])
class RunJobTest {
    private var loaded: LoadedBundle? = null
    private val ends = ArrayList<String>()

    private fun listener(onLoaded: () -> Unit) = object : Ends(ends), RunJobListener {
        override fun loaded(loaded: LoadedBundle) {
            this@RunJobTest.loaded = loaded
            onLoaded()
        }

        override fun bundleReplaced(reason: String) = error(reason)

        override fun viewed(view: LiveView) = Unit
    }

    /** Two gray pictures, [apartNs] apart. */
    private fun recording(apartNs: Long): File {
        val folder = Files.createTempDirectory(Phone.app.cacheDir.toPath(), "recording").toFile()
        val writer = RecordingWriter(folder, RecordingInfo("2026-01-01T00:00:00Z", "none", 0))
        val plane = { side: Int -> Plane(ByteBuffer.wrap(ByteArray(side * side) { 0x50 }), side, 1) }
        val image = YuvImage(64, 64, plane(64), plane(32), plane(32), ColorStandard.BT601, ColorRange.FULL)
        for (i in 0L..1L) {
            val at = 1_000_000_000 + i * apartNs
            writer.add(
                Exposure(at, 10_000_000, 0, 33_000_000),
                MonotonicNs(at + 20_000_000),
                MonotonicNs(at + 21_000_000),
                image,
            )
        }
        writer.finish(RecordedClock.Monotonic)
        return folder
    }

    private fun order(recording: File) = RunOrder(RunPlan("r1", RunKind.REPLAY, 60, recording), Phone.example, true)

    /** Begin a replay of frames that are [apartNs] apart in [context], and replay once it is loaded. */
    private fun replay(context: Context, apartNs: Long = 33_000_000): RunJob {
        lateinit var job: RunJob
        job = RunJob(context, order(recording(apartNs)), listener { job.replay(60.0) }) { null }
        job.load()
        return job
    }

    private fun untilClosed() = Phone.until { isClosed(checkNotNull(loaded).bundle) }

    private fun isClosed(bundle: Bundle) = try {
        bundle.file("manifest.json")
        false
    } catch (_: IllegalStateException) {
        true
    }

    @Test
    fun `a replay that works ends with its report`() {
        replay(Phone.app)
        Phone.until { ends.isNotEmpty() }
        untilClosed()
        assertEquals(listOf("done"), ends)
        val (started, done) = Phone.markers()
        assertEquals("RUN r1 STARTED", started)
        assertTrue(File(done.removePrefix("RUN r1 DONE ")).isFile)
    }

    @Test
    fun `whatever is thrown before the run began, it failed`() {
        for (fault in listOf(OutOfMemoryError("full"), IllegalStateException("odd"))) {
            val context = object : ContextWrapper(Phone.app) {
                override fun getFilesDir(): File = throw fault
            }
            ends.clear()
            replay(context)
            Phone.until { ends.isNotEmpty() }
            assertEquals(listOf("failed"), ends)
            assertTrue(fault.message.orEmpty() in Phone.markers().last())
        }
        assertEquals(2, Phone.markers().size)
    }

    @Test
    fun `whatever is thrown at the end, it failed, and the models are closed`() {
        val context = object : ContextWrapper(Phone.app) {
            override fun getExternalFilesDir(type: String?): File = throw OutOfMemoryError("full")
        }
        replay(context)
        Phone.until { ends.isNotEmpty() }
        untilClosed()
        assertEquals(listOf("failed"), ends)
        assertEquals(2, Phone.markers().size)
        assertTrue(Phone.markers().last().startsWith("RUN r1 FAILED"))
    }

    @Test
    fun `a replay that nobody wants any more does not go on to its last frame`() {
        val job = replay(Phone.app, apartNs = 3_600_000_000_000)
        Phone.until { Thread.getAllStackTraces().keys.any { it.name == "recorded camera" } }
        job.fail("interrupted: test")
        untilClosed()
        Phone.until { ends.isNotEmpty() }
        assertEquals(listOf("RUN r1 STARTED", "RUN r1 FAILED interrupted: test"), Phone.markers())
        assertEquals(listOf("failed"), ends)
    }
}
