package org.litebundle.core.replay

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.JoinedFrames
import org.litebundle.core.frame.LatestSlot
import org.litebundle.core.frame.ResultJoin
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.recording.Recording

/** A frame that waits for the pipeline. */
internal class Waiting(val id: Long, val image: YuvImage)

/** Half of frame [index] came at [at]: its image, or its capture result. */
internal class CameraEvent(val at: MonotonicNs, val index: Int, val isImage: Boolean)

/** Says what the camera said in [recording], with all its times later by [shiftNs]; the newest frame is in [slot]. */
internal class RecordedCamera(
    private val recording: Recording,
    private val ledger: Ledger,
    private val shiftNs: Long,
) : JoinedFrames<YuvImage> {
    val slot = LatestSlot<Waiting>()
    private val join = ResultJoin(ledger, this)
    private var started = 0

    /** The frame that was still in the slot when everything had come. */
    @Volatile
    var last: Waiting? = null
        private set

    /** In the order of time. */
    val events: List<CameraEvent> = recording.frames.flatMapIndexed { index, frame ->
        listOfNotNull(
            frame.captureResult?.let { CameraEvent(it + shiftNs, index, isImage = false) },
            frame.imageAvailable?.let { CameraEvent(it + shiftNs, index, isImage = true) },
        )
    }.sortedBy { it.at }

    /** Let [event] happen at the time [at]. */
    fun say(event: CameraEvent, at: MonotonicNs) {
        startUntil(event.index)
        val exposure = exposure(event.index)
        if (event.isImage) {
            join.image(exposure.timestampNs, checkNotNull(recording.image(event.index)), at)
        } else {
            join.result(exposure, at)
        }
    }

    /** Nothing more comes: the slot is closed. */
    fun finish() {
        startUntil(recording.frames.lastIndex)
        join.finish()
        last = slot.close()
    }

    override fun joined(frame: Long, image: YuvImage, exposure: Exposure) {
        slot.offer(Waiting(frame, image))?.let { ledger.dropped(it.id, DropCause.BUSY) }
    }

    override fun discarded(image: YuvImage) = Unit

    private fun startUntil(index: Int) {
        while (started <= index) {
            val frame = recording.frames[started]
            val timestampNs = exposure(started++).timestampNs
            join.started(timestampNs)
            if (frame.captureResult == null && frame.imageAvailable == null) join.lost(timestampNs)
        }
    }

    private fun exposure(index: Int) =
        recording.frames[index].exposure.let { it.copy(timestampNs = it.timestampNs + shiftNs) }
}
