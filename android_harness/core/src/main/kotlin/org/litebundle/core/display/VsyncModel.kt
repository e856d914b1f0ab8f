package org.litebundle.core.display

import org.litebundle.core.clock.MonotonicNs

/**
 * Grade D: what is submitted is latched at the next vsync, and is on the screen one period later. The stamp is from one
 * period before that (it was latched and shown at once) to one after (it was too late for the next vsync).
 *
 * The period is the shortest between the last vsyncs that were told, as some may be missed: a screen that goes faster
 * is followed at once, one that goes slower after [SPAN] vsyncs. Until two were told it is [periodNs], and [vsync]
 * stands for one.
 */
class VsyncModel(private var vsync: MonotonicNs, private var periodNs: Long) {
    private val told = ArrayDeque<MonotonicNs>()

    init {
        require(periodNs > 0) { "a period of $periodNs ns is none" }
    }

    /** A vsync was at [at] (`Choreographer`); one that is not later than the one before is passed over. */
    @Synchronized
    fun vsync(at: MonotonicNs) {
        if (told.isNotEmpty() && at <= told.last()) return
        vsync = at
        told.addLast(at)
        if (told.size > SPAN + 1) told.removeFirst()
        if (told.size > 1) periodNs = told.zipWithNext { a, b -> b - a }.min()
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

    private companion object {
        const val SPAN = 8
    }
}
