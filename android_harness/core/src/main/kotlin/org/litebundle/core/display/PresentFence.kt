package org.litebundle.core.display

/** A transaction's present fence, as `android.hardware.SyncFence` has it. */
interface PresentFence : AutoCloseable {
    /** False: there is no fence to ask. */
    val isValid: Boolean

    /** In ns of CLOCK_MONOTONIC, or [PENDING], or [INVALID]. */
    val signalTimeNs: Long

    override fun close()

    companion object {
        /** `SyncFence.SIGNAL_TIME_PENDING`: not signalled yet. */
        const val PENDING = Long.MAX_VALUE

        /** `SyncFence.SIGNAL_TIME_INVALID`: not a fence, or it ended in an error. */
        const val INVALID = -1L
    }
}
