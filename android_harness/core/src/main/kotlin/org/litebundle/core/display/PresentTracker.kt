package org.litebundle.core.display

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.ledger.Ledger

/**
 * Finds out when submitted results came on the screen, and tells the ledger: latched, then presented or superseded.
 *
 * A result's time of presentation is from the best source that there is: its transaction's present fence (grade A); if
 * that is invalid, does not signal or is never heard of, the expected presentation of its frame timeline (C); else the
 * model (D). A latch time is never one. Nothing better than grade [best] is believed: emulators, whose fences say
 * nothing of a screen, have D.
 *
 * A result is superseded if a newer one was latched with it or before it, as then both fell into one frame of the
 * screen; where a latch time is missing, if the newer one was presented as early. So a result is settled only when that
 * is known of every newer result that was already submitted by then. Results are settled in the order in which they
 * were submitted.
 *
 * Call [settle] now and then, best at each vsync, as fences may signal long after their callback.
 */
class PresentTracker(
    private val ledger: Ledger,
    private val model: VsyncModel,
    private val best: Grade,
    private val timeoutNs: Long = DEFAULT_TIMEOUT_NS,
) {
    private class Pending(val frame: Long, val submitted: MonotonicNs, val expected: MonotonicNs?) {
        /** Before the display has it, it may still turn out that it never will. */
        var handedOver = false
        var heard = false
        var latched: MonotonicNs? = null
        var fence: PresentFence? = null
    }

    private val pending = ArrayDeque<Pending>()

    /** The frame that was settled last as presented, or [Ledger.NO_FRAME]. */
    var lastPresented = Ledger.NO_FRAME
        @Synchronized get
        private set

    /**
     * The result of [frame] was submitted, later than all before. [expected]: when its frame timeline expects it on the
     * screen; null: it has none.
     */
    fun submitted(frame: Long, at: MonotonicNs, expected: MonotonicNs? = null) = submit(frame, at, expected) {}

    /**
     * Submits the result of [frame] by [show], whose transaction may complete before it returns. If it throws, so does
     * this, and the ledger hears nothing of the frame from here.
     */
    fun submit(frame: Long, at: MonotonicNs, expected: MonotonicNs?, show: () -> Unit) {
        val added = Pending(frame, at, expected)
        synchronized(this) { pending.addLast(added) }
        try {
            show()
        } catch (e: Exception) {
            withdraw(added)
            throw e
        }
        synchronized(this) { added.handedOver = true }
    }

    @Synchronized
    private fun withdraw(added: Pending) {
        pending.remove(added)
        added.fence?.close()
    }

    /**
     * The transaction of [frame] was latched at [latched]; null: it does not say. [fence] is closed when the frame is
     * settled. A second call for a frame, or one for a frame that is settled, changes nothing.
     */
    @Synchronized
    fun completed(frame: Long, latched: MonotonicNs?, fence: PresentFence) {
        val found = pending.firstOrNull { it.frame == frame }
        if (found == null || found.heard) {
            fence.close()
            return
        }
        found.heard = true
        found.latched = latched?.takeIf { it >= found.submitted }
        found.fence = fence
    }

    /** Settle what can be settled at the time [now]. */
    @Synchronized
    fun settle(now: MonotonicNs) = settle { ready(it, now) }

    /** The run is over: settle everything with what is known. */
    @Synchronized
    fun finish() = settle { true }

    private inline fun settle(ready: (Pending) -> Boolean) {
        while (pending.isNotEmpty()) {
            val first = pending.first()
            if (!ready(first)) return
            val stamp = stamp(first)
            val rivals = pending.drop(1).filter { it.submitted <= (first.latched ?: stamp.value) }
            if (!rivals.all { (it.latched != null && first.latched != null) || ready(it) }) return
            pending.removeFirst()
            end(first, stamp, rivals.any { supersedes(it, first, stamp) })
        }
    }

    private fun supersedes(newer: Pending, older: Pending, stamp: Stamp): Boolean {
        val latched = older.latched
        val newerLatched = newer.latched
        return if (latched != null &&
            newerLatched != null
        ) {
            newerLatched <= latched
        } else {
            stamp(newer).value <= stamp.value
        }
    }

    private fun end(settled: Pending, stamp: Stamp, superseded: Boolean) {
        settled.latched?.let { ledger.latched(settled.frame, it) }
        if (superseded) {
            ledger.superseded(settled.frame)
        } else {
            ledger.presented(settled.frame, stamp)
            lastPresented = settled.frame
        }
        settled.fence?.close()
    }

    /** Whether nothing better is to be expected: a signal, or that there will be none. */
    private fun ready(pending: Pending, now: MonotonicNs): Boolean = when {
        !pending.handedOver -> false
        signalled(pending) != null -> true
        now - pending.submitted < timeoutNs && mayStillTell(pending) -> false
        else -> now >= estimate(pending).value
    }

    private fun mayStillTell(pending: Pending): Boolean {
        val fence = pending.fence
        return when {
            !pending.heard -> best == Grade.A
            fence == null -> false
            else -> best == Grade.A && fence.isValid && fence.signalTimeNs == PresentFence.PENDING
        }
    }

    private fun stamp(pending: Pending): Stamp = signalled(pending) ?: estimate(pending)

    private fun signalled(pending: Pending): Stamp? {
        val fence = pending.fence?.takeIf { best == Grade.A && it.isValid } ?: return null
        val signal = MonotonicNs(fence.signalTimeNs)
        val known = signal.ns != PresentFence.PENDING && signal.ns != PresentFence.INVALID
        val since = pending.latched ?: pending.submitted
        if (!known || signal < since) return null
        return Stamp(signal, maxOf(since, signal + -FENCE_ERROR_NS), signal + FENCE_ERROR_NS, Grade.A, "present fence")
    }

    /** An estimate that is earlier than what is known of the frame is wrong. */
    private fun estimate(pending: Pending): Stamp {
        val since = pending.latched ?: pending.submitted
        val expected = pending.expected?.takeIf { best <= Grade.C && it >= since }
        if (expected != null) return model.stampOfTimeline(expected)
        return model.stamp(pending.submitted).takeIf { it.value >= since } ?: model.stamp(since)
    }

    companion object {
        /** How long after its submission a transaction may keep us waiting. */
        const val DEFAULT_TIMEOUT_NS = 1_000_000_000L

        /** The share of the fence in the error budget. */
        const val FENCE_ERROR_NS = 100_000L
    }
}
