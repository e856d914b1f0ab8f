package android.bluetooth

/** Robolectric's jar for API 33 names this class and lacks it, so that no window could be made. */
@Suppress("ClassName", "unused")
class `BluetoothDevice$BluetoothAddress`
