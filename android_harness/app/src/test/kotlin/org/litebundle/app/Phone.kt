package org.litebundle.app

import android.Manifest
import android.app.Application
import android.graphics.ImageFormat
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.os.Looper
import android.util.Range
import android.util.Size
import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.TextView
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowCameraCharacteristics
import org.robolectric.shadows.ShadowLog
import org.robolectric.shadows.StreamConfigurationMapBuilder
import java.io.File

/** The device of a test, and what it shows and says. */
object Phone {
    val app: Application get() = RuntimeEnvironment.getApplication()
    val root = File(System.getProperty("litebundle.root"))
    val example = File(root, "dist/formula_scan-0.1.0.litebundle")

    fun allowCamera() = shadowOf(app).grantPermissions(Manifest.permission.CAMERA)

    fun addCamera(
        id: String = "0",
        facing: Int = CameraMetadata.LENS_FACING_BACK,
        sizes: List<Size> = listOf(Size(640, 480)),
        rates: List<Range<Int>> = listOf(Range(15, 30), Range(30, 30)),
    ) {
        val streams = StreamConfigurationMapBuilder.newBuilder()
        for (size in sizes) streams.addOutputSize(ImageFormat.YUV_420_888, size)
        val characteristics = ShadowCameraCharacteristics.newCameraCharacteristics()
        with(shadowOf(characteristics)) {
            set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, streams.build())
            set(CameraCharacteristics.LENS_FACING, facing)
            set(CameraCharacteristics.SENSOR_ORIENTATION, 0)
            set(CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES, rates.toTypedArray())
            set(
                CameraCharacteristics.SENSOR_INFO_TIMESTAMP_SOURCE,
                CameraMetadata.SENSOR_INFO_TIMESTAMP_SOURCE_UNKNOWN,
            )
        }
        shadowOf(app.service(CameraManager::class.java)).addCamera(id, characteristics)
    }

    /** The lines that whoever started a run reads. */
    fun markers() = ShadowLog.getLogsForTag("litebundle").map { it.msg }

    /** Let the main thread work until [done], at most some seconds. */
    fun until(done: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_NS
        while (!done()) {
            check(System.nanoTime() < end) { "it never came; markers: ${markers()}" }
            shadowOf(Looper.getMainLooper()).idle()
            Thread.sleep(5)
        }
    }

    private const val PATIENCE_NS = 30_000_000_000L
}

fun View.all(): List<View> =
    listOf(this) + if (this is ViewGroup) (0 until childCount).flatMap { getChildAt(it).all() } else emptyList()

/** What can be read on it now. */
fun View.words() = all().filterIsInstance<TextView>().filter { it.isShown }.map { it.text.toString() }

fun View.button(label: String) = all().filterIsInstance<Button>().single { it.text.toString() == label }
