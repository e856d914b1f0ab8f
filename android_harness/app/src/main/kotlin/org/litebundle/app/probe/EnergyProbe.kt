package org.litebundle.app.probe

import android.content.Context
import android.os.Build
import android.os.OutcomeReceiver
import android.os.PowerMonitorReadings
import android.os.health.SystemHealthManager
import org.litebundle.app.RequiresSdk
import org.litebundle.app.service
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.power.EnergySample
import org.litebundle.core.power.MonitorKind
import org.litebundle.core.power.PowerMonitor
import java.util.concurrent.Executor

/** Reads the counters of the device's power monitors (device-only: energy-rails). */
fun interface EnergyProbe {
    /** Gives a sample to [taker], soon and on any thread; none where no monitor can be read. */
    fun sample(taker: (EnergySample) -> Unit)

    companion object {
        /** Since API 35; before, and where a device has no monitors, nothing is ever given. */
        fun of(context: Context, clock: MonotonicClock): EnergyProbe =
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.VANILLA_ICE_CREAM) {
                MonitorsSince35(context.service(SystemHealthManager::class.java), clock)
            } else {
                EnergyProbe { }
            }
    }
}

@RequiresSdk(Build.VERSION_CODES.VANILLA_ICE_CREAM)
private class MonitorsSince35(private val health: SystemHealthManager, private val clock: MonotonicClock) :
    EnergyProbe {
    private val direct = Executor { it.run() }

    @Volatile
    private var monitors: List<android.os.PowerMonitor> = emptyList()

    init {
        health.getSupportedPowerMonitors(direct) { monitors = it }
    }

    override fun sample(taker: (EnergySample) -> Unit) {
        val asked = monitors.ifEmpty { return }
        val receiver = object : OutcomeReceiver<PowerMonitorReadings, RuntimeException> {
            override fun onResult(readings: PowerMonitorReadings) = taker(sampleOf(asked, readings))

            override fun onError(error: RuntimeException) = Unit
        }
        health.getPowerMonitorReadings(asked, direct, receiver)
    }

    private fun sampleOf(asked: List<android.os.PowerMonitor>, readings: PowerMonitorReadings): EnergySample {
        val energies = asked.associate { PowerMonitor(it.name, kind(it)) to readings.getConsumedEnergy(it) }
        val available = energies.filterValues { it != PowerMonitorReadings.ENERGY_UNAVAILABLE.toLong() }
        return EnergySample(clock.now(), available)
    }

    private fun kind(monitor: android.os.PowerMonitor) = if (monitor.type ==
        android.os.PowerMonitor.POWER_MONITOR_TYPE_MEASUREMENT
    ) {
        MonitorKind.RAIL
    } else {
        MonitorKind.CONSUMER
    }
}
