package org.litebundle.core.run

import org.litebundle.core.clock.MonotonicNs

/** The moments of a stage in one frame, in their order. */
enum class StageMark { PRE_BEGIN, PRE_END, RUN_ENQUEUED, RUN_READY, POST_BEGIN, POST_END }

/**
 * Hears the moments of each stage. A stage that runs once per box enqueues and becomes ready several times; the other
 * marks come once.
 */
fun interface StageListener {
    fun mark(stage: Int, mark: StageMark, at: MonotonicNs)
}
