package org.litebundle.app.run

import android.content.Context
import android.hardware.camera2.CameraManager
import android.media.Image
import android.os.Build
import android.view.Surface
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.camera.CameraFrame
import org.litebundle.app.camera.CameraSource
import org.litebundle.app.display.Drawer
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.Overlay
import org.litebundle.app.display.VsyncLoop
import org.litebundle.app.probe.DeviceProbe
import org.litebundle.app.service
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.clock.SensorTimeline
import org.litebundle.core.clock.photonInNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.PresentTracker
import org.litebundle.core.display.VsyncModel
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.JoinedFrames
import org.litebundle.core.frame.LatestSlot
import org.litebundle.core.frame.YuvToRgb
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.optical.Claim
import org.litebundle.core.optical.OpticalWitness
import org.litebundle.core.optical.StripReader
import org.litebundle.core.optical.Testimony
import org.litebundle.core.power.EnergySample
import org.litebundle.core.power.ThermalSample
import org.litebundle.core.report.CameraInfo
import org.litebundle.core.run.FrameLoop
import org.litebundle.core.run.Result
import java.util.concurrent.TimeUnit

/** What is seen of a session while it runs: the newest result, and the latency of the newest one presented. */
data class LiveView(val drawing: Drawing, val latencyNs: Long?, val grade: Grade?)

/** What a session measured. */
class SessionData(
    val ledger: Ledger,
    /** Null: the frames were recorded. */
    val camera: CameraInfo?,
    val thermal: List<ThermalSample>,
    val energy: List<EnergySample>,
    val clock: SensorClock,
    /** BOOTTIME − MONOTONIC; null: undecided. */
    val offset: ClockOffset?,
    val clockErrorNs: Long,
    val testimony: Testimony?,
)

/** What a session works with. */
class SessionSetup(
    val run: String,
    val loaded: LoadedBundle,
    val choice: CameraChoice,
    /** The camera's picture goes here too; null: nowhere. */
    val preview: Surface?,
    /** Whether each result shows its strip, and the frames are searched for it. */
    val optical: Boolean,
    val seconds: Int,
    val refreshPeriodNs: Long,
    /** Clockwise degrees by which a picture is turned to be upright; asked for each frame. */
    val turn: () -> Int,
    /** Makes the overlay; its completions go to the tracker, on the given thread. */
    val overlay: (PresentTracker, Worker) -> Overlay,
)

/**
 * Live frames from the camera to the screen: newest wins, one frame at a time in the pipeline, every frame in the
 * ledger.
 *
 * [viewed] hears of what is shown, some times a second, and [failed] once of what ends it early; both on some thread of
 * the session's. It runs from [start] to [finish].
 *
 * (device-only: optical-loop)
 */
class CameraSession(
    context: Context,
    private val setup: SessionSetup,
    private val viewed: (LiveView) -> Unit,
    private val failed: (String) -> Unit,
) {
    private val clock = MonotonicClock.System
    private val probeThread = worker("probes")
    private val probes = Probes(context, probeThread, clock)
    private val sensorTimes = SensorTimeline(probes.offsets)
    private val ledger = Ledger(setup.loaded.runner.stageNames, capacity(setup.seconds, setup.choice), sensorTimes)
    private val model = VsyncModel(clock.now(), setup.refreshPeriodNs)
    private val tracker = PresentTracker(ledger, model, bestGrade())
    private val cameraThread = worker("camera")
    private val displayThread = worker("display")
    private val vsyncs = VsyncLoop.of(displayThread.handler) { at ->
        model.vsync(at)
        tracker.settle(clock.now())
        view()
    }
    private val overlay = setup.overlay(tracker, displayThread)
    private val slot = LatestSlot<CameraFrame>()
    private val camera = JoinedCamera(ledger, Joined(), sensorTimes, probes.offsets, setup.choice, clock, failed)
    private val source = CameraSource(
        context.service(CameraManager::class.java),
        setup.choice,
        setup.preview,
        cameraThread.handler,
        camera,
        held = 2, // One waits for the pipeline, one is with it.
    )
    private val frames = Thread(::work, "frames").apply { setUncaughtExceptionHandler { _, error -> fail(error) } }

    private val display = Display()
    private val witness = OpticalWitness()
    private val stripReader = StripReader()

    @Volatile
    private var drawn: Drawing? = null

    private var viewedAt = MonotonicNs(0)

    fun start() {
        vsyncs.start()
        frames.start()
        source.open()
    }

    /** Ends it in order, every frame accounted for. Waits for the frame that is worked on; not on the main thread. */
    fun finish(): SessionData {
        slot.close()?.let { drop(it, DropCause.BUSY) }
        frames.join()
        cameraThread.await {
            camera.finish()
            source.close()
        }
        displayThread.await {
            vsyncs.close()
            tracker.settle(clock.now())
        }
        TimeUnit.NANOSECONDS.sleep(SETTLING_PERIODS * setup.refreshPeriodNs)
        displayThread.await {
            tracker.finish()
            overlay.close()
        }
        probeThread.await { probes.close() }
        listOf(cameraThread, displayThread, probeThread).forEach { it.close() }
        return SessionData(
            ledger,
            with(setup.choice) { CameraInfo(size.width, size.height, framesPerSecond.lower, framesPerSecond.upper) },
            probes.thermal,
            probes.energy,
            sensorTimes.clock,
            probes.offsets.latest,
            probes.offsets.errorNs ?: 0,
            testimony(),
        )
    }

    private fun worker(name: String) = Worker(name, ::fail)

    private fun fail(error: Throwable) = failed("${Thread.currentThread().name}: $error")

    private fun view() {
        val now = clock.now()
        val drawing = drawn ?: return
        if (now - viewedAt < VIEW_PERIOD_NS) return
        viewedAt = now
        val record = ledger.find(tracker.lastPresented, sensorTimes.live)
        val mid = record?.exposureMid
        val presented = record?.presented
        val latencyNs = if (presented != null && mid != null) presented.value - mid else null
        viewed(LiveView(drawing, latencyNs, presented?.grade))
    }

    private fun work() {
        val converter = YuvToRgb()
        val loop = FrameLoop<CameraFrame, Result>(
            { frame, photo ->
                display.begin(frame)
                converter.convert(frame.picture(), photo, display.turn)
                display.photo(photo.width, photo.height)
            },
            { photo, listener -> setup.loaded.runner.run(photo, listener) },
            display,
            ledger,
            clock,
        )
        while (true) {
            val frame = slot.take() ?: return
            frame.use {
                loop.process(frame.frame, frame)
                if (setup.optical) look(frame)
            }
        }
    }

    /** After the frame's result is on its way, so that looking delays none. */
    private fun look(frame: CameraFrame) {
        val picture = frame.picture()
        val sighting = stripReader.read(picture.y, picture.width, picture.height) ?: return
        val mid = frame.exposure.photonInNs(sighting.row.toDouble() / picture.height)
        witness.saw(sighting, mid, frame.exposure.exposureNs)
    }

    private fun testimony(): Testimony? {
        if (!setup.optical) return null
        val claims = HashMap<Long, Claim>()
        for ((counter, frame) in display.framesByCounter.withIndex()) {
            val record = ledger.find(frame) ?: continue
            val mid = record.exposureMid ?: continue
            val stamp = record.presented ?: continue
            claims[counter.toLong()] = Claim(stamp.earliest - mid, stamp.latest - mid)
        }
        return witness.testimony(claims, setup.refreshPeriodNs)
    }

    private fun drop(frame: CameraFrame, cause: DropCause) {
        ledger.dropped(frame.frame, cause)
        frame.close()
    }

    /** Draws results and hands them to the overlay; on the pipeline's thread. */
    private inner class Display : org.litebundle.core.run.ResultDisplay<Result> {
        val framesByCounter = ArrayList<Long>()
        var turn = 0
            private set
        private val drawer = Drawer(setup.loaded.bundle, setup.run)
        private var exposure = Exposure(0, 0, 0, 0)
        private var width = 0
        private var height = 0

        fun begin(frame: CameraFrame) {
            turn = setup.turn()
            exposure = frame.exposure
        }

        fun photo(width: Int, height: Int) {
            this.width = width
            this.height = height
        }

        override fun submit(frame: Long, result: Result, at: MonotonicNs) {
            val counter = if (setup.optical) framesByCounter.size.toLong() else null
            val drawing = drawer.draw(result, width, height, counter)
            val row = drawing.sensorRow(turn)
            ledger.region(frame, row)
            if (counter != null) {
                framesByCounter.add(frame)
                witness.submitted(counter, exposure.photonInNs(row))
            }
            tracker.submit(frame, at, vsyncs.expected(at)) { overlay.show(frame, drawing) }
            drawn = drawing
        }
    }

    private inner class Joined : JoinedFrames<Image> {
        override fun joined(frame: Long, image: Image, exposure: Exposure) {
            slot.offer(CameraFrame(frame, exposure, image))?.let { drop(it, DropCause.BUSY) }
        }

        override fun discarded(image: Image) = image.close()
    }

    companion object {
        private const val VIEW_PERIOD_NS = 250_000_000L
        private const val SETTLING_PERIODS = 5
        private const val SPARE_SECONDS = 15

        /** Frames that a ledger holds of a run that takes its time to begin and to end. */
        fun capacity(seconds: Int, choice: CameraChoice) = (seconds + SPARE_SECONDS) * choice.framesPerSecond.upper

        /** The best evidence that this system gives for a time of presentation. */
        private fun bestGrade() = when {
            DeviceProbe.isEmulator() -> Grade.D
            Build.VERSION.SDK_INT >= Build.VERSION_CODES.VANILLA_ICE_CREAM -> Grade.A
            Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU -> Grade.C
            else -> Grade.D
        }
    }
}
