package org.litebundle.core.display

import org.litebundle.core.clock.MonotonicNs

/**
 * Grade D: what is submitted is latched at the next vsync, and is on the screen one period later. The stamp is from one
 * period before that (it was latched and shown at once) to one after (it was too late for the next vsync).
 */
class VsyncModel(private var vsync: MonotonicNs, private var periodNs: Long) {
    /** A vsync was at [at] (`Choreographer`), the next is after [periodNs]. */
    @Synchronized
    fun vsync(at: MonotonicNs, periodNs: Long) {
        require(periodNs > 0) { "a period of $periodNs ns is none" }
        vsync = at
        this.periodNs = periodNs
    }

    @Synchronized
    fun stamp(submitted: MonotonicNs): Stamp {
        val periods = Math.floorDiv(submitted - vsync, periodNs) + 1
        val next = vsync + periods * periodNs
        return Stamp(next + periodNs, next, next + 2 * periodNs, Grade.D, "model: next vsync and one period")
    }

    /** Grade C: the presentation that a frame timeline expects; up to a period later, if its deadline was missed. */
    @Synchronized
    fun stampOfTimeline(expected: MonotonicNs) =
        Stamp(expected, expected, expected + periodNs, Grade.C, "Choreographer.FrameTimeline expected presentation")
}
