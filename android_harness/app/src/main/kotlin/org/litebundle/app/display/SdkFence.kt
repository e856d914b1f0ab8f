package org.litebundle.app.display

import android.hardware.SyncFence
import android.os.Build
import org.litebundle.app.RequiresSdk
import org.litebundle.core.display.PresentFence

/** A fence of the platform, as the core asks it. */
@RequiresSdk(Build.VERSION_CODES.TIRAMISU)
class SdkFence(private val fence: SyncFence) : PresentFence {
    override val isValid get() = fence.isValid

    override val signalTimeNs: Long
        get() = when (val time = fence.signalTime) {
            SyncFence.SIGNAL_TIME_PENDING -> PresentFence.PENDING
            SyncFence.SIGNAL_TIME_INVALID -> PresentFence.INVALID
            else -> time
        }

    override fun close() = fence.close()
}
