package org.litebundle.app.run

import android.hardware.camera2.CameraManager
import android.os.Looper
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.AppTestRunner
import org.litebundle.app.FakeCamera
import org.litebundle.app.FakeCaptureSession
import org.litebundle.app.FakeImage
import org.litebundle.app.FakeImageReader
import org.litebundle.app.Phone
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.service
import org.litebundle.core.frame.Exposure
import org.litebundle.core.recording.RecordedClock
import org.litebundle.core.recording.Recording
import org.litebundle.core.replay.Replay
import org.litebundle.core.run.FramePipeline
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import java.io.File
import java.time.Duration
import java.util.Collections
import java.util.concurrent.CountDownLatch

@RunWith(AppTestRunner::class)
@Config(sdk = [33], shadows = [FakeImageReader::class, FakeCaptureSession::class])
class RecordJobTest {
    private val open = Collections.synchronizedSet(HashSet<FakeImage>())
    private val ends = ArrayList<String>()
    private val folder = File(checkNotNull(Storage.recordings(Phone.app)), "r1")
    private lateinit var job: RecordJob

    @Before
    fun camera() {
        FakeCamera.reset()
        Phone.allowCamera()
        Phone.addCamera()
    }

    private val listener = object : Ends(ends), RecordJobListener {
        override fun recorded(frames: Int, lost: Int) {
            ends.add("$frames frames, $lost lost")
        }
    }

    /** A recording of 5 s in which [frames] are sent. */
    private fun record(frames: () -> Unit) {
        job = RecordJob(Phone.app, RecordOrder(RecordPlan("r1", 5)), listener)
        job.run(checkNotNull(CameraChoice.of(Phone.app.service(CameraManager::class.java))), null)
        Phone.until { FakeCamera.callback != null || ends.isNotEmpty() }
        frames()
    }

    private fun afterItsSeconds() {
        Phone.until { "RUN r1 STARTED" in Phone.markers() }
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(5))
        untilOver()
    }

    private fun untilOver() {
        Phone.until { ends.any { it == "done" || it == "failed" || it == "refused" } }
        Phone.until { Thread.getAllStackTraces().keys.none { it.name == "run" } }
    }

    private fun image(gray: Int, read: () -> Unit = {}): FakeImage {
        val picture = FakeImage.picture(64, 64, gray.toByte()) { _, _ -> gray.toByte() }
        return FakeImage(System.nanoTime() - 30_000_000, picture, read, open::remove).also(open::add)
    }

    /** Results and pictures come in any order. */
    private fun send(image: FakeImage, resultFirst: Boolean = true) {
        val number = FakeCamera.begin(image.timestamp)
        if (resultFirst) FakeCamera.result(number, image.timestamp)
        FakeCamera.image(image)
        if (!resultFirst) FakeCamera.result(number, image.timestamp)
    }

    private fun untilWritten(count: Int) =
        Phone.until { File(folder, "frames").list().orEmpty().size == count && FakeCamera.held.isEmpty() }

    @Test
    fun `what the camera gave is read back, with its pixels and times, and replays`() {
        val sent = ArrayList<Long>()
        record {
            for (i in 0 until 12) {
                val image = image(10 * i)
                sent.add(image.timestamp)
                send(image, resultFirst = i % 2 == 0)
                untilWritten(i + 1)
            }
            val lost = System.nanoTime() - 30_000_000
            sent.add(lost)
            val number = FakeCamera.begin(lost)
            FakeCamera.result(number, lost)
            FakeCamera.lose(number)
            val last = image(200)
            sent.add(last.timestamp)
            send(last)
            // The recording ends while this one is on its way.
            FakeCamera.begin(System.nanoTime() - 30_000_000)
            FakeCamera.idle()
        }
        afterItsSeconds()
        assertEquals(listOf("14 frames, 1 lost", "done"), ends)
        assertEquals(listOf("RUN r1 STARTED", "RUN r1 DONE $folder/recording.json"), Phone.markers())

        val recording = Recording.open(folder)
        val exposures = sent.map { Exposure(it, FakeCamera.EXPOSURE_NS, FakeCamera.SKEW_NS, FakeCamera.FRAME_NS) }
        assertEquals(exposures, recording.frames.map { it.exposure })
        for ((i, frame) in recording.frames.withIndex()) {
            assertTrue(checkNotNull(frame.captureResult).ns > sent[i])
            val picture = recording.image(i)
            assertEquals(i == 12, picture == null)
            if (picture == null) continue
            assertTrue(checkNotNull(frame.imageAvailable).ns > sent[i])
            val gray = if (i == 13) 200 else 10 * i
            for (plane in listOf(picture.y, picture.u, picture.v)) {
                for (at in 0 until plane.bytes.limit()) assertEquals(gray.toByte(), plane.bytes.get(at))
            }
        }
        assertEquals(RecordedClock.Monotonic, recording.clock)
        val replayed = Replay(recording, emptyList(), { _, _ -> }, { FramePipeline { _, _ -> } }).real(60.0)
        assertEquals(emptyList<Any>(), replayed.violations())
        assertEquals(recording.frames.map { it.file != null }, replayed.records().map { it.imageAvailable != null })
        assertEquals(emptySet<FakeImage>(), open)
    }

    @Test
    fun `where storage is slower than the camera, frames are lost and said to be, and the camera goes on`() {
        val go = CountDownLatch(1)
        record {
            send(image(1, go::await))
            repeat(20) {
                send(image(2))
                FakeCamera.idle()
            }
            assertEquals("one is written, two wait", 3, FakeCamera.held.size)
            go.countDown()
            untilWritten(3)
            send(image(3))
            untilWritten(4)
        }
        afterItsSeconds()
        assertEquals(listOf("22 frames, 18 lost", "done"), ends)
        val frames = Recording.open(folder).frames
        assertEquals(listOf(0, 1, 2, 21), frames.indices.filter { frames[it].file != null })
        assertTrue(frames.all { it.captureResult != null })
        assertEquals(emptySet<FakeImage>(), open)
    }

    @Test
    fun `a camera that fails in mid-recording leaves nothing but one line`() {
        record {
            repeat(3) { send(image(it)) }
            untilWritten(3)
            shadowOf(Phone.app.service(CameraManager::class.java)).triggerDisconnect()
        }
        untilOver()
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(5))
        assertEquals(listOf("RUN r1 STARTED", "RUN r1 FAILED another app took the camera"), Phone.markers())
        assertEquals(listOf("failed"), ends)
        assertFalse(folder.exists())
        assertEquals(emptySet<FakeImage>(), open)
    }

    @Test
    fun `a picture that cannot be written fails the recording, as a camera without a picture does`() {
        record { send(image(1) { error("no room") }) }
        untilOver()
        assertTrue(Phone.markers().last(), Phone.markers().last().startsWith("RUN r1 FAILED recording: "))
        ends.clear()
        FakeCamera.reset()
        record {}
        afterItsSeconds()
        assertTrue(Phone.markers().last(), "nothing was recorded" in Phone.markers().last())
        assertFalse(folder.exists())
    }

    @Test
    fun `a recording of that name is not written over, and one that was cut off is removed`() {
        File(folder, "recording.json").apply { parentFile?.mkdirs() }.writeText("{}")
        val cutOff = File(folder.parentFile, "r0").apply { mkdirs() }
        RecordJob.removeCutOff(Phone.app)
        assertFalse(cutOff.exists())
        record {}
        untilOver()
        assertEquals(listOf("refused"), ends)
        assertTrue(Phone.markers().single(), Phone.markers().single().startsWith("RUN r1 REFUSED"))
        assertEquals("{}", File(folder, "recording.json").readText())
    }
}
