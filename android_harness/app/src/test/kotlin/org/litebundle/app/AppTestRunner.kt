package org.litebundle.app

import org.junit.runners.model.FrameworkMethod
import org.robolectric.RobolectricTestRunner
import org.robolectric.internal.bytecode.InstrumentationConfiguration

/**
 * Robolectric has a class loader for each API level, and a native library belongs to one class loader only: the runtime's
 * classes are loaded outside of them all.
 *
 * It makes another class loader, in seconds, for each set of classes that tests shadow. So that there is one, all of them
 * are in every set.
 */
class AppTestRunner(test: Class<*>) : RobolectricTestRunner(test) {
    override fun createClassLoaderConfig(method: FrameworkMethod): InstrumentationConfiguration =
        InstrumentationConfiguration.Builder(super.createClassLoaderConfig(method))
            .doNotAcquirePackage("org.bytedeco.")
            .also { SHADOWED.forEach(it::addInstrumentedClass) }
            .build()

    private companion object {
        val SHADOWED = listOf(
            "android.hardware.HardwareBuffer",
            "android.hardware.camera2.impl.CameraCaptureSessionImpl",
            "android.hardware.camera2.impl.CameraDeviceImpl",
            "android.media.ImageReader",
            "android.os.SystemClock",
            "android.view.SurfaceView",
        )
    }
}
