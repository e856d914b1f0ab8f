package org.litebundle.core.replay

import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.run.FrameConverter
import org.litebundle.core.run.FramePipeline
import org.litebundle.core.run.StageMark

/** A clock that stands still unless it is told to go on. */
class VirtualClock(private var time: MonotonicNs) : MonotonicClock {
    override fun now() = time

    fun advance(durationNs: Long) {
        require(durationNs >= 0) { "time does not go back by ${-durationNs} ns" }
        time += durationNs
    }
}

/** Converts as [converter] does, and lets that take [costNs]. */
internal fun <F> costed(converter: FrameConverter<F>, costNs: Long, clock: VirtualClock) =
    FrameConverter<F> { frame, photo ->
        converter.convert(frame, photo)
        clock.advance(costNs)
    }

/**
 * Computes as [pipeline] does, and lets each part of stage i take what [costs] i says; a stage whose model did not run
 * has only its preparation. The pipeline reads [clock] after it told of a mark, so time that passes at a mark lies
 * between that and the next.
 */
internal fun <R> costed(pipeline: FramePipeline<R>, costs: List<StageCost>, clock: VirtualClock) =
    FramePipeline { photo, listener ->
        var ran = false
        pipeline.run(photo) { stage, mark, at ->
            listener.mark(stage, mark, at)
            when (mark) {
                StageMark.PRE_BEGIN -> {
                    ran = false
                    clock.advance(costs[stage].preNs)
                }

                StageMark.RUN_ENQUEUED -> {
                    ran = true
                    clock.advance(costs[stage].runNs)
                }

                StageMark.POST_BEGIN -> if (ran) clock.advance(costs[stage].postNs)

                StageMark.PRE_END, StageMark.RUN_READY, StageMark.POST_END -> Unit
            }
        }
    }
