package org.litebundle.core.graph

import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.run.StageListener
import org.litebundle.core.run.StageMark

/**
 * Marks the moments of stages so that they leave no gap: a stage begins at the very time at which the one before it
 * ended, what comes before its first run ends when that is enqueued, and what comes after its last run begins when
 * that is ready. So preparation, runs and what follows sum to the whole to the ns.
 */
internal class StageTimer(private val clock: MonotonicClock) {
    private var listener = StageListener.None
    private var stage = 0
    private var now = MonotonicNs(0)
    private var runs = 0

    /** A frame begins, with its first stage. */
    fun begin(listener: StageListener) {
        this.listener = listener
        now = clock.now()
        begin(0)
    }

    /** The stage ends; where there is a [next] one, it begins. */
    fun end(next: Int?) {
        if (runs > 0) mark(StageMark.POST_BEGIN, now)
        now = clock.now()
        if (runs == 0) {
            mark(StageMark.PRE_END, now)
            mark(StageMark.POST_BEGIN, now)
        }
        mark(StageMark.POST_END, now)
        if (next != null) begin(next)
    }

    fun enqueued() {
        now = clock.now()
        if (runs++ == 0) mark(StageMark.PRE_END, now)
        mark(StageMark.RUN_ENQUEUED, now)
    }

    fun ready() {
        now = clock.now()
        mark(StageMark.RUN_READY, now)
    }

    private fun begin(stage: Int) {
        this.stage = stage
        runs = 0
        mark(StageMark.PRE_BEGIN, now)
    }

    private fun mark(mark: StageMark, at: MonotonicNs) = listener.mark(stage, mark, at)
}
