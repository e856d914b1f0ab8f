package org.litebundle.core.replay

import org.litebundle.core.clock.BoottimeNs
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorTimes
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.recording.RecordedClock
import org.litebundle.core.recording.Recording
import org.litebundle.core.run.FrameConverter
import org.litebundle.core.run.FrameLoop
import org.litebundle.core.run.FramePipeline
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/**
 * Sends a recording's frames through the same join, slot, frame loop, display tracking and ledger as the camera's: one
 * in flight, newest wins.
 *
 * [stages] names the pipeline's stages; [pipeline] makes it, with the clock that it takes its times from.
 */
class Replay<R>(
    private val recording: Recording,
    private val stages: List<String>,
    private val converter: FrameConverter<YuvImage>,
    private val pipeline: (MonotonicClock) -> FramePipeline<R>,
) {
    /**
     * On a virtual clock: frames come at their recorded times, work takes what [costs] say, and everything is computed
     * for real. So the same recording and costs give the same ledger, wherever and however often.
     *
     * This is a simulation by events. At the end of a piece of work all frames are let in that came until then, and the
     * newest is taken; with none there, the clock goes on to the next event.
     */
    fun virtual(costs: ReplayCosts): Ledger {
        val ledger = ledger()
        val camera = RecordedCamera(recording, ledger, shiftNs = 0)
        val events = ArrayDeque(camera.events)
        val clock = VirtualClock(events.firstOrNull()?.at ?: MonotonicNs(0))
        val display = ModelDisplay<R>(ledger, costs.refreshHz, clock)
        val loop = FrameLoop(
            costed(converter, costs.convertNs, clock),
            costed(pipeline(clock), stages.map(costs.stages::getValue), clock),
            display,
            ledger,
            clock,
        )
        while (true) {
            while (events.isNotEmpty() && events.first().at <= clock.now()) {
                events.removeFirst().let { camera.say(it, it.at) }
            }
            val taken = camera.slot.poll()
            when {
                taken != null -> loop.process(taken.id, taken.image)
                events.isNotEmpty() -> clock.advance(events.first().at - clock.now())
                else -> break
            }
        }
        camera.finish()
        display.finish()
        return ledger
    }

    /**
     * At the pace of the wall clock, with the camera on a thread of its own: all times are measured, but for those of
     * exposure, which are as long ago as they were when the frames were recorded, and of the display, which is a model.
     *
     * An interrupt of the calling thread ends it with InterruptedException.
     */
    fun real(refreshHz: Double): Ledger {
        val clock = MonotonicClock.System
        val first = recording.frames.mapNotNull { it.captureResult ?: it.imageAvailable }.minOrNull()
        val shiftNs = if (first == null) 0 else clock.now() + LEAD_NS - first
        val ledger = ledger()
        val camera = RecordedCamera(recording, ledger, shiftNs)
        val display = ModelDisplay<R>(ledger, refreshHz, clock)
        val loop = FrameLoop(converter, pipeline(clock), display, ledger, clock)
        val thread = thread(name = "recorded camera") { play(camera, clock) }
        try {
            while (true) {
                val taken = camera.slot.take() ?: break
                loop.process(taken.id, taken.image)
            }
        } finally {
            thread.interrupt()
            thread.join()
        }
        camera.last?.let { loop.process(it.id, it.image) }
        display.finish()
        return ledger
    }

    private fun play(camera: RecordedCamera, clock: MonotonicClock) {
        try {
            for (event in camera.events) {
                TimeUnit.NANOSECONDS.sleep(event.at - clock.now())
                camera.say(event, clock.now())
            }
        } catch (_: InterruptedException) {
            // Nobody takes what would come.
        } finally {
            camera.finish()
        }
    }

    private fun ledger(): Ledger {
        val sensor = SensorTimes { timestampNs ->
            when (val recorded = recording.clock) {
                RecordedClock.Monotonic -> MonotonicNs(timestampNs)
                is RecordedClock.Boottime -> recorded.offset.toMonotonic(BoottimeNs(timestampNs)).middle
                RecordedClock.Undecided -> null
            }
        }
        return Ledger(stages, recording.frames.size, sensor)
    }

    private companion object {
        /** Time to begin with the first frame of a replay at the pace of the wall clock. */
        const val LEAD_NS = 100_000_000L
    }
}
