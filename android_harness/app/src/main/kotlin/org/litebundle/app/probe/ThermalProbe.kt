package org.litebundle.app.probe

import android.os.Build
import android.os.PowerManager
import org.litebundle.app.RequiresSdk
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.power.ThermalSample
import org.litebundle.core.power.ThermalStatus
import java.io.Closeable

/**
 * How hot the device is: its status since API 29, its headroom since 30; null before. Asked once a second.
 *
 * (device-only: thermal-status)
 */
class ThermalProbe(private val power: PowerManager) : Closeable {
    private val status = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.Q) StatusSince29(power) else null

    fun sample(at: MonotonicNs) = ThermalSample(at, status?.newest, headroom())

    private fun headroom(): Float? {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return null
        return HeadroomSince30.of(power)
    }

    override fun close() {
        status?.close()
    }
}

@RequiresSdk(Build.VERSION_CODES.Q)
private class StatusSince29(private val power: PowerManager) :
    PowerManager.OnThermalStatusChangedListener,
    Closeable {
    @Volatile
    var newest: ThermalStatus? = ThermalStatus.entries.getOrNull(power.currentThermalStatus)
        private set

    init {
        power.addThermalStatusListener(this)
    }

    override fun onThermalStatusChanged(status: Int) {
        newest = ThermalStatus.entries.getOrNull(status)
    }

    override fun close() = power.removeThermalStatusListener(this)
}

@RequiresSdk(Build.VERSION_CODES.R)
private object HeadroomSince30 {
    /** NaN where the device does not tell, or was asked more than about once a second. */
    fun of(power: PowerManager): Float? = power.getThermalHeadroom(0).takeIf { it.isFinite() }
}
