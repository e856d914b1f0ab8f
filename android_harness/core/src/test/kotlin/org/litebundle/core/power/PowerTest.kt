package org.litebundle.core.power

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicNs

private fun seconds(s: Double) = MonotonicNs((s * 1e9).toLong())

class PowerTest {
    private val samples = listOf(
        ThermalSample(seconds(1.0), ThermalStatus.NONE, 0.4f),
        ThermalSample(seconds(2.0), ThermalStatus.LIGHT, 0.7f),
        ThermalSample(seconds(9.0), ThermalStatus.SEVERE, null),
    )

    @Test
    fun `the sample at a time or before it holds, for two periods`() {
        val join = ThermalJoin(samples.reversed())
        assertNull(join.at(seconds(0.9)))
        assertEquals(samples[0], join.at(seconds(1.0)))
        assertEquals(samples[0], join.at(seconds(1.999)))
        assertEquals(samples[1], join.at(seconds(4.0)))
        assertNull(join.at(seconds(4.001)))
        assertEquals(samples[2], join.at(seconds(9.5)))
        assertNull(ThermalJoin(emptyList()).at(seconds(1.0)))
    }

    private val cpu = PowerMonitor("S4M_VDD_CPU", MonitorKind.RAIL)
    private val gpu = PowerMonitor("S2S_VDD_GPU", MonitorKind.RAIL)
    private val camera = PowerMonitor("CAMERA", MonitorKind.CONSUMER)

    private fun sample(s: Double, vararg energy: Pair<PowerMonitor, Long>) = EnergySample(seconds(s), mapOf(*energy))

    private val presented = List(11) { seconds(it.toDouble()) }

    @Test
    fun `energy per result is what all rails took over the results of that time`() {
        val samples = listOf(
            sample(10.0, cpu to 7_000, gpu to 500, camera to 90),
            sample(0.0, cpu to 1_000, gpu to 100, camera to 10),
        )
        val found = EnergyPerResult.of(samples, presented)
        assertEquals(EnergyPerResult(MonitorKind.RAIL, listOf("S2S_VDD_GPU", "S4M_VDD_CPU"), 6_400, 10), found)
        assertEquals(640.0, found?.perResultUws)
    }

    @Test
    fun `without rails the consumers are graded as what they are`() {
        val found = EnergyPerResult.of(listOf(sample(0.0, camera to 10), sample(2.0, camera to 90)), presented)
        assertEquals(EnergyPerResult(MonitorKind.CONSUMER, listOf("CAMERA"), 80, 2), found)
    }

    @Test
    fun `a rail that is missing at an end or whose counter began anew is left out`() {
        val samples = listOf(
            sample(0.0, cpu to 1_000, gpu to 100),
            sample(1.0, cpu to 20, gpu to 200),
            sample(2.0, cpu to 3_000, gpu to 250, camera to 9),
        )
        assertEquals(
            EnergyPerResult(MonitorKind.RAIL, listOf("S2S_VDD_GPU"), 150, 2),
            EnergyPerResult.of(samples, presented),
        )
    }

    @Test
    fun `without monitors or results there is no energy`() {
        assertNull(EnergyPerResult.of(emptyList(), presented))
        assertNull(EnergyPerResult.of(listOf(sample(0.0), sample(2.0)), presented))
        assertNull(EnergyPerResult.of(listOf(sample(0.0, cpu to 1)), presented))
        assertNull(EnergyPerResult.of(listOf(sample(0.2, cpu to 1), sample(0.7, cpu to 2)), presented))
    }
}
