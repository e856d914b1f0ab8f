package org.litebundle.core.replay

import org.litebundle.core.clock.BoottimeNs
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorTimes
import org.litebundle.core.display.Grade
import org.litebundle.core.display.PresentTracker
import org.litebundle.core.display.VsyncModel
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.recording.RecordedClock
import org.litebundle.core.recording.Recording
import org.litebundle.core.run.FrameConverter
import org.litebundle.core.run.FrameLoop
import org.litebundle.core.run.FramePipeline
import org.litebundle.core.run.ResultDisplay
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread
import kotlin.math.roundToLong

/**
 * Sends a recording's frames through the same join, slot, frame loop, display tracking and ledger as the camera's: one
 * in flight, newest wins. The display is a model, grade D.
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
     * On a virtual clock: frames come at their recorded times, work takes what [plan] says, and everything is computed
     * for real. So the same recording and plan give the same ledger, wherever and however often.
     *
     * This is a simulation by events. At the end of a piece of work all frames are let in that came until then, and the
     * newest is taken; with none there, the clock goes on to the next event.
     */
    fun virtual(plan: ReplayPlan): Ledger {
        val ledger = ledger()
        val camera = RecordedCamera(recording, ledger, shiftNs = 0)
        val events = ArrayDeque(camera.events)
        val clock = VirtualClock(events.firstOrNull()?.at ?: MonotonicNs(0))
        val display = display(ledger, plan.refreshHz, clock)
        val loop = FrameLoop(
            costed(converter, plan.convertNs, clock),
            costed(pipeline(clock), stages.map(plan.stages::getValue), clock),
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
        display.tracker.finish()
        return ledger
    }

    /**
     * At the pace of the wall clock, with the camera on a thread of its own: all times are measured, but for those of
     * exposure, which are as long ago as they were when the frames were recorded.
     */
    fun real(refreshHz: Double): Ledger {
        val clock = MonotonicClock.System
        val first = recording.frames.mapNotNull { it.captureResult ?: it.imageAvailable }.minOrNull()
        val shiftNs = if (first == null) 0 else clock.now() + LEAD_NS - first
        val ledger = ledger()
        val camera = RecordedCamera(recording, ledger, shiftNs)
        val display = display(ledger, refreshHz, clock)
        val loop = FrameLoop(converter, pipeline(clock), display, ledger, clock)
        var last: Waiting? = null
        val thread = thread(name = "recorded camera") {
            for (event in camera.events) {
                TimeUnit.NANOSECONDS.sleep(event.at - clock.now())
                camera.say(event, clock.now())
            }
            camera.finish()
            last = camera.slot.close()
        }
        while (true) {
            val taken = camera.slot.take() ?: break
            loop.process(taken.id, taken.image)
        }
        thread.join()
        last?.let { loop.process(it.id, it.image) }
        display.tracker.finish()
        return ledger
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

    private fun display(ledger: Ledger, refreshHz: Double, clock: MonotonicClock): Display<R> {
        val model = VsyncModel(clock.now(), (NS_PER_S / refreshHz).roundToLong())
        return Display(PresentTracker(ledger, model, best = Grade.D))
    }

    private class Display<R>(val tracker: PresentTracker) : ResultDisplay<R> {
        override fun submit(frame: Long, result: R, at: MonotonicNs) {
            tracker.submitted(frame, at)
            tracker.settle(at)
        }
    }

    private companion object {
        const val NS_PER_S = 1e9

        /** Time to begin with the first frame of a replay at the pace of the wall clock. */
        const val LEAD_NS = 100_000_000L
    }
}
