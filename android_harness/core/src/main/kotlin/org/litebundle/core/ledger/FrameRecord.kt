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

    /** It was still on its way when the ledger was read. A run that is over has no such frame. */
    data object Unfinished : Outcome
}

enum class DropCause {
    /** A newer frame came while the pipeline was busy. */
    BUSY,

    /** Its image or its capture result never came, although the camera reported no loss: the queue had no room. */
    QUEUE,

    /** The camera said that it lost the frame, or gave neither image nor capture result. */
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
) {
    val preNs get() = preEnd - preBegin

    /** All from the first run to the last; several runs have what lies between them inside. */
    val runNs get() = postBegin - preEnd

    val postNs get() = postEnd - postBegin
}

/**
 * A frame of the ledger as it ended; null is what it never reached. All times are CLOCK_MONOTONIC.
 *
 * [exposureStart] is the begin of exposure of the first row, [exposureMid] the middle of exposure of the row that the
 * result is about (`SensorTimes`). Both are null too where the sensor's clock could not be related to CLOCK_MONOTONIC
 * at that moment; such a frame has no latency.
 */
data class FrameRecord(
    val id: Long,
    val exposureStart: MonotonicNs?,
    val exposureMid: MonotonicNs?,
    val captureResult: MonotonicNs?,
    val imageAvailable: MonotonicNs?,
    val acquired: MonotonicNs?,
    val stages: List<StageTimes?>,
    val submitted: MonotonicNs?,
    val latched: MonotonicNs?,
    val presented: Stamp?,
    val outcome: Outcome,
)
