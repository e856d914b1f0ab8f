package org.litebundle.core.ledger

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Stamp

/** How a captured frame ended; every frame ends exactly once. */
sealed interface Outcome {
    /** Its result was on the screen. */
    data object Presented : Outcome

    /** Its result was handed to the display, and a newer one took its place before the display showed it. */
    data object Superseded : Outcome

    data class Dropped(val cause: DropCause) : Outcome

    data class Failed(val reason: String) : Outcome
}

enum class DropCause {
    /** A newer frame came while the pipeline was busy. */
    BUSY,

    /** The camera's image queue was full, or an image had no capture result. */
    QUEUE,

    /** The camera said that it lost the frame. */
    CAMERA,
}

/** Times of a stage in one frame; a stage that runs once per box has its first begin and its last end. */
data class StageTimes(
    val preBegin: MonotonicNs,
    val preEnd: MonotonicNs,
    val runEnqueued: MonotonicNs,
    val runReady: MonotonicNs,
    val postBegin: MonotonicNs,
    val postEnd: MonotonicNs,
    val runs: Int,
)

/** A frame of the ledger as it ended; null is what it never reached. All times are CLOCK_MONOTONIC. */
data class FrameRecord(
    val id: Long,
    val exposureStart: MonotonicNs,
    val exposureMid: MonotonicNs,
    val captureResult: MonotonicNs?,
    val imageAvailable: MonotonicNs?,
    val acquired: MonotonicNs?,
    val stages: List<StageTimes?>,
    val submitted: MonotonicNs?,
    val latched: MonotonicNs?,
    val presented: Stamp?,
    val outcome: Outcome,
)
