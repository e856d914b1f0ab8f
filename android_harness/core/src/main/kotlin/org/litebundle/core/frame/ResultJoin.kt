package org.litebundle.core.frame

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.Ledger

/** What becomes of the camera's images. */
interface JoinedFrames<I> {
    /** The [image] of [frame], whose capture result is in the ledger. */
    fun joined(frame: Long, image: I, exposure: Exposure)

    /** No frame will have this image: close it. */
    fun discarded(image: I)
}

/**
 * Joins images to capture results: those with exactly equal timestamps are one frame. The camera sends them in any
 * order, and it tells the ledger of each frame when it is first heard of.
 *
 * Of the last [window] frames that wait for their other half the oldest gives up when one more comes: without an image
 * or without a capture result it is dropped(queue), as the camera reported no loss; with neither, dropped(camera). What
 * comes for a frame that was joined or gave up is passed over. Any thread.
 */
class ResultJoin<I : Any>(
    private val ledger: Ledger,
    private val frames: JoinedFrames<I>,
    private val window: Int = DEFAULT_WINDOW,
) {
    private class Waiting<I>(val timestampNs: Long, val frame: Long) {
        var exposure: Exposure? = null
        var image: I? = null
    }

    private val waiting = ArrayList<Waiting<I>>(window + 1)
    private val done = LongArray(DONE) { Long.MIN_VALUE }
    private var doneCount = 0

    /** `onCaptureStarted`. */
    @Synchronized
    fun started(timestampNs: Long) {
        if (!isDone(timestampNs)) find(timestampNs)
    }

    /** `onCaptureCompleted`. */
    @Synchronized
    fun result(exposure: Exposure, at: MonotonicNs) {
        if (isDone(exposure.timestampNs)) return
        val found = find(exposure.timestampNs)
        ledger.captureResult(found.frame, exposure, at)
        found.exposure = exposure
        join(found)
    }

    /** An image came out of the `ImageReader`. */
    @Synchronized
    fun image(timestampNs: Long, image: I, at: MonotonicNs) {
        if (isDone(timestampNs)) return frames.discarded(image)
        val found = find(timestampNs)
        ledger.imageAvailable(found.frame, at)
        found.image = image
        join(found)
    }

    /** `onCaptureFailed` or `onCaptureBufferLost`: the camera will send no image. */
    @Synchronized
    fun lost(timestampNs: Long) {
        if (!isDone(timestampNs)) giveUp(find(timestampNs), DropCause.CAMERA)
    }

    /** Nothing more comes: what still waits gives up. */
    @Synchronized
    fun finish() {
        while (waiting.isNotEmpty()) giveUp(waiting.first())
    }

    private fun find(timestampNs: Long): Waiting<I> {
        waiting.firstOrNull { it.timestampNs == timestampNs }?.let { return it }
        val added = Waiting<I>(timestampNs, ledger.captured(timestampNs))
        waiting.add(added)
        if (waiting.size > window) giveUp(waiting.first())
        return added
    }

    private fun join(found: Waiting<I>) {
        val exposure = found.exposure ?: return
        val image = found.image ?: return
        finish(found)
        frames.joined(found.frame, image, exposure)
    }

    private fun giveUp(found: Waiting<I>) {
        val heard = found.image != null || found.exposure != null
        giveUp(found, if (heard) DropCause.QUEUE else DropCause.CAMERA)
    }

    private fun giveUp(found: Waiting<I>, cause: DropCause) {
        finish(found)
        ledger.dropped(found.frame, cause)
        found.image?.let(frames::discarded)
    }

    private fun finish(found: Waiting<I>) {
        waiting.remove(found)
        done[doneCount++ % DONE] = found.timestampNs
    }

    private fun isDone(timestampNs: Long) = timestampNs in done

    companion object {
        const val DEFAULT_WINDOW = 8
        private const val DONE = 64
    }
}
