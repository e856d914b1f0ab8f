package org.litebundle.app

import android.os.PowerManager
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.probe.ThermalProbe
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.power.ThermalStatus
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(AppTestRunner::class)
class ThermalProbeTest {
    private val power = Phone.app.service(PowerManager::class.java)

    private fun ThermalProbe.status() = sample(MonotonicNs(0)).status

    @Test
    @Config(sdk = [33, 35])
    fun `a change in mid-run is heard, until the probe is closed`() {
        val probe = ThermalProbe(power)
        assertEquals(ThermalStatus.NONE, probe.status())
        shadowOf(power).setCurrentThermalStatus(PowerManager.THERMAL_STATUS_SEVERE)
        assertEquals(ThermalStatus.SEVERE, probe.status())
        probe.close()
        shadowOf(power).setCurrentThermalStatus(PowerManager.THERMAL_STATUS_CRITICAL)
        assertEquals(ThermalStatus.SEVERE, probe.status())
    }

    @Test
    @Config(sdk = [26])
    fun `a system that does not tell gives no status`() = assertNull(ThermalProbe(power).status())
}
