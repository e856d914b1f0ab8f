package org.litebundle.core.run

import org.litebundle.core.clock.MonotonicNs

/** The moments of a stage in one frame, in their order. */
enum class StageMark { PRE_BEGIN, PRE_END, RUN_ENQUEUED, RUN_READY, POST_BEGIN, POST_END }

/**
 * Hears the moments of each stage. A stage that runs once per box enqueues and becomes ready several times, or never; the
 * other marks come once.
 *
 * There are no gaps: a stage begins when the one before it ended, PRE_END is its first RUN_ENQUEUED and POST_BEGIN its
 * last RUN_READY. So the differences sum to the whole to the ns. Without a run, PRE_END and POST_BEGIN are POST_END.
 */
fun interface StageListener {
    fun mark(stage: Int, mark: StageMark, at: MonotonicNs)

    companion object {
        val None = StageListener { _, _, _ -> }
    }
}
