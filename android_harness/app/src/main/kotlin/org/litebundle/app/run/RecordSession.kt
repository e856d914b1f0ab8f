package org.litebundle.app.run

import android.content.Context
import android.hardware.camera2.CameraManager
import android.media.Image
import android.os.Build
import android.view.Surface
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.camera.CameraFrame
import org.litebundle.app.camera.CameraListener
import org.litebundle.app.camera.CameraSource
import org.litebundle.app.service
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.SensorTimeline
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.JoinedFrames
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.recording.INDEX
import org.litebundle.core.recording.RecordedClock
import org.litebundle.core.recording.RecordedFrame
import org.litebundle.core.recording.Recording
import org.litebundle.core.recording.RecordingInfo
import org.litebundle.core.recording.RecordingWriter
import java.io.File
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.concurrent.Semaphore

/**
 * Live frames from the camera to [folder], as docs/recording.md has it: each picture is written at once, and at most
 * [PICTURES] wait for that. One more, where storage is slower than the camera, is lost, and the camera goes on.
 *
 * It ends with the last frame whose picture came. [failed] hears of what ends it early, on some thread of the session's.
 * Throws RecordingException if [folder] holds anything, IOException if it cannot be made.
 */
class RecordSession(
    context: Context,
    choice: CameraChoice,
    preview: Surface?,
    seconds: Int,
    private val folder: File,
    private val failed: (String) -> Unit,
) {
    private val clock = MonotonicClock.System
    private val writer = RecordingWriter(
        folder,
        RecordingInfo(
            Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(),
            "${Build.MANUFACTURER} ${Build.MODEL}",
            choice.sensorOrientation,
        ),
    )
    private val probeThread = worker("probes")
    private val probes = Probes(context, probeThread, clock)
    private val sensorTimes = SensorTimeline(probes.offsets)
    private val cameraThread = worker("camera")
    private val writeThread = worker("recording")
    private val ledger = Ledger(emptyList(), CameraSession.capacity(seconds, choice), sensorTimes)
    private val camera = JoinedCamera(ledger, Joined(), sensorTimes, probes.offsets, choice, clock, failed)
    private val source = CameraSource(
        context.service(CameraManager::class.java),
        choice,
        preview,
        cameraThread.handler,
        FromCamera(),
        PICTURES,
    )
    private val room = Semaphore(PICTURES)

    /** By timestamp; of the camera's thread, until that has ended. [RecordedFrame.file] stays null. */
    private val frames = HashMap<Long, RecordedFrame>()
    private var lastJoinedNs = Long.MIN_VALUE
    private var isOver = false

    /** Timestamps; of the writing thread, until that has ended. */
    private val written = HashSet<Long>()

    fun start() = source.open()

    /** What was recorded, whole and checked; whatever is thrown, nothing is left of it. Not on the main thread. */
    fun finish(): Recording = try {
        stop()
        val lost = frames.filterKeys { it <= lastJoinedNs && it !in written }
        for (frame in lost.values) writer.addLost(frame.exposure, frame.captureResult)
        writer.finish(RecordedClock.of(sensorTimes.clock, probes.offsets.throughout))
        Recording.open(folder)
    } catch (error: Throwable) {
        folder.deleteRecursively()
        throw error
    }

    /** Nothing is left of it. Not on the main thread. */
    fun discard() {
        try {
            stop()
        } finally {
            folder.deleteRecursively()
        }
    }

    private fun stop() {
        cameraThread.await {
            isOver = true
            camera.finish()
        }
        writeThread.await {}
        cameraThread.await { source.close() }
        probeThread.await { probes.close() }
        listOf(cameraThread, writeThread, probeThread).forEach { it.close() }
    }

    private fun worker(name: String) = Worker(name) { failed("$name: $it") }

    private fun write(frame: RecordedFrame, picture: CameraFrame) {
        try {
            writer.add(frame.exposure, frame.captureResult, checkNotNull(frame.imageAvailable), picture.picture())
            written.add(frame.exposure.timestampNs)
        } finally {
            picture.close()
            room.release()
        }
    }

    private inner class Joined : JoinedFrames<Image> {
        override fun joined(frame: Long, image: Image, exposure: Exposure) {
            lastJoinedNs = maxOf(lastJoinedNs, exposure.timestampNs)
            if (!room.tryAcquire()) return image.close()
            val heard = frames.getValue(exposure.timestampNs)
            writeThread.handler.post { write(heard, CameraFrame(frame, exposure, image)) }
        }

        override fun discarded(image: Image) = image.close()
    }

    /** Notes what is heard, then lets it be joined. */
    private inner class FromCamera : CameraListener by camera {
        override fun started(timestampNs: Long) {
            if (isOver) return
            note(timestampNs) { it }
            camera.started(timestampNs)
        }

        override fun completed(exposure: Exposure) {
            if (isOver) return
            val now = clock.now()
            note(exposure.timestampNs) { it.copy(exposure = exposure, captureResult = now) }
            camera.completed(exposure)
        }

        override fun available(image: Image) {
            if (isOver) return image.close()
            val now = clock.now()
            note(image.timestamp) { it.copy(imageAvailable = now) }
            camera.available(image)
        }

        private fun note(timestampNs: Long, change: (RecordedFrame) -> RecordedFrame) {
            val known = frames[timestampNs] ?: RecordedFrame(Exposure(timestampNs, 0, 0, 0), null, null, null)
            frames[timestampNs] = change(known)
        }
    }

    private companion object {
        /** One that is written, and two that wait: storage hesitates for a frame or two. */
        const val PICTURES = 3
    }
}
