package org.litebundle.core.replay

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.run.ResultDisplay

/**
 * The model of a display: what is newest at a vsync is latched, and presented one period later. Vsyncs are at whole
 * multiples of [periodNs].
 */
class ModelDisplay<R>(private val ledger: Ledger, private val periodNs: Long) : ResultDisplay<R> {
    private var waiting = Ledger.NO_FRAME
    private var waitsFor = MonotonicNs(0)

    /** Results come in the order of [at]. */
    override fun submit(frame: Long, result: R, at: MonotonicNs) {
        val vsync = MonotonicNs(-Math.floorDiv(-at.ns, periodNs) * periodNs)
        if (waiting != Ledger.NO_FRAME && waitsFor == vsync) ledger.superseded(waiting) else flush()
        waiting = frame
        waitsFor = vsync
    }

    /** Let what still waits be presented. */
    fun flush() {
        if (waiting == Ledger.NO_FRAME) return
        ledger.latched(waiting, waitsFor)
        val value = waitsFor + periodNs
        ledger.presented(waiting, Stamp(value, waitsFor, value + periodNs, Grade.D, SOURCE))
        waiting = Ledger.NO_FRAME
    }

    companion object {
        const val SOURCE = "model: next vsync and one period"
    }
}
