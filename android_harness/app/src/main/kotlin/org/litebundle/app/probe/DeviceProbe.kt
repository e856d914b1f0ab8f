package org.litebundle.app.probe

import android.content.Context
import android.content.pm.ApplicationInfo
import android.os.Build
import org.litebundle.app.RequiresSdk
import org.litebundle.core.report.DeviceInfo

/** What the device and the app's build are. */
object DeviceProbe {
    fun device() = DeviceInfo(
        manufacturer = Build.MANUFACTURER,
        model = Build.MODEL,
        sdk = Build.VERSION.SDK_INT,
        build = Build.FINGERPRINT,
        soc = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) SocSince31.name() else null,
    )

    fun isDebuggable(context: Context) = context.applicationInfo.flags and ApplicationInfo.FLAG_DEBUGGABLE != 0

    /** Emulators present to a window of another system, so no time of theirs is better than a model. */
    fun isEmulator(): Boolean =
        EMULATED_HARDWARE.any { it in Build.HARDWARE } || EMULATED_PRODUCTS.any { Build.PRODUCT.startsWith(it) } ||
            Build.FINGERPRINT.startsWith("generic")

    private val EMULATED_HARDWARE = listOf("goldfish", "ranchu", "cutf", "vbox")
    private val EMULATED_PRODUCTS = listOf("sdk_", "aosp_cf", "vsoc", "emulator", "sdk")
}

@RequiresSdk(Build.VERSION_CODES.S)
private object SocSince31 {
    fun name(): String? = "${Build.SOC_MANUFACTURER} ${Build.SOC_MODEL}".takeIf { Build.SOC_MODEL != Build.UNKNOWN }
}
