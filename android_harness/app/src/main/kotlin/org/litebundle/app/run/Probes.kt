package org.litebundle.app.run

import android.content.Context
import android.os.PowerManager
import android.os.SystemClock
import org.litebundle.app.probe.EnergyProbe
import org.litebundle.app.probe.ThermalProbe
import org.litebundle.app.service
import org.litebundle.core.clock.BoottimeNs
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.OffsetTimeline
import org.litebundle.core.power.EnergySample
import org.litebundle.core.power.ThermalSample
import java.io.Closeable
import java.util.Collections

/**
 * What is asked once a second in a run: heat, energy and the clocks' offset, at once when it is made and again when it
 * is closed. On [worker]'s thread, but for the first.
 */
class Probes(context: Context, private val worker: Worker, private val clock: MonotonicClock) : Closeable {
    private val thermalProbe = ThermalProbe(context.service(PowerManager::class.java))
    private val energyProbe = EnergyProbe.of(context, clock)
    private val thermalSamples = Collections.synchronizedList(ArrayList<ThermalSample>())
    private val energySamples = Collections.synchronizedList(ArrayList<EnergySample>())
    val offsets = OffsetTimeline()

    val thermal: List<ThermalSample> get() = synchronized(thermalSamples) { thermalSamples.toList() }
    val energy: List<EnergySample> get() = synchronized(energySamples) { energySamples.toList() }

    init {
        sample()
        worker.handler.postDelayed(::next, PERIOD_MS)
    }

    /** On [worker]'s thread. */
    override fun close() {
        worker.handler.removeCallbacksAndMessages(null)
        sample()
        thermalProbe.close()
    }

    private fun next() {
        sample()
        worker.handler.postDelayed(::next, PERIOD_MS)
    }

    private fun sample() {
        offsets.calibrate(clock::now) { BoottimeNs(SystemClock.elapsedRealtimeNanos()) }
        thermalSamples.add(thermalProbe.sample(clock.now()))
        energyProbe.sample(energySamples::add)
    }

    private companion object {
        const val PERIOD_MS = 1000L
    }
}
