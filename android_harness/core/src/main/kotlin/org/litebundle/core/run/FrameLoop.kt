package org.litebundle.core.run

import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.value.Image

/** Makes an RGB picture of a frame. */
fun interface FrameConverter<F> {
    fun convert(frame: F, photo: Image)
}

/** Computes a result from a photo, telling when each stage came where. */
fun interface FramePipeline<R> {
    fun run(photo: Image, listener: StageListener): R
}

/** Shows results. */
fun interface ResultDisplay<R> {
    /** Show the [result] of [frame]; it is valid during the call. [at]: when it was submitted, as the ledger has it. */
    fun submit(frame: Long, result: R, at: MonotonicNs)
}

/** What is done with one frame: one at a time, from taking it to handing its result to the display. */
class FrameLoop<F, R>(
    private val converter: FrameConverter<F>,
    private val pipeline: FramePipeline<R>,
    private val display: ResultDisplay<R>,
    private val ledger: Ledger,
    private val clock: MonotonicClock = MonotonicClock.System,
) {
    private val photo = Image()

    /** Work on [picture], the picture of [frame]. An exception ends the frame as failed, and the next may come. */
    fun process(frame: Long, picture: F) {
        ledger.acquired(frame, clock.now())
        try {
            converter.convert(picture, photo)
            val result = pipeline.run(photo, ledger.listener(frame))
            val submittedAt = clock.now()
            ledger.submitted(frame, submittedAt)
            display.submit(frame, result, submittedAt)
        } catch (e: Exception) {
            ledger.failed(frame, e.message ?: e.toString())
        }
    }
}
