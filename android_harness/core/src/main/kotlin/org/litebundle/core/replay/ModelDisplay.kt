package org.litebundle.core.replay

import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.PresentTracker
import org.litebundle.core.display.VsyncModel
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.run.ResultDisplay
import kotlin.math.roundToLong

/** A model of a display that has a vsync now and every 1 / [refreshHz] s (grade D). */
internal class ModelDisplay<R>(ledger: Ledger, refreshHz: Double, clock: MonotonicClock) : ResultDisplay<R> {
    private val model = VsyncModel(clock.now(), (NS_PER_S / refreshHz).roundToLong())
    private val tracker = PresentTracker(ledger, model, best = Grade.D)

    override fun submit(frame: Long, result: R, at: MonotonicNs) {
        tracker.submitted(frame, at)
        tracker.settle(at)
    }

    /** No more results come. */
    fun finish() = tracker.finish()

    private companion object {
        const val NS_PER_S = 1e9
    }
}
