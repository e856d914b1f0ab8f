package org.litebundle.app.camera

import android.annotation.SuppressLint
import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.hardware.camera2.CaptureFailure
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.CaptureResult
import android.hardware.camera2.TotalCaptureResult
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.view.Surface
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.ResultJoin
import java.io.Closeable
import java.util.concurrent.atomic.AtomicBoolean

/** Hears what the camera does, on the camera's thread. */
interface CameraListener {
    /** The exposure of a frame began at [timestampNs] of the sensor's clock; by this time it is known from here on. */
    fun started(timestampNs: Long)

    fun completed(exposure: Exposure)

    /** A picture came; it is the listener's to close. */
    fun available(image: Image)

    /** The camera lost the frame, or its picture; nothing more comes of it. */
    fun lost(timestampNs: Long)

    /** The camera cannot go on, for the [reason] in words; said once, and not after [CameraSource.close]. */
    fun broken(reason: String)
}

/**
 * The camera, from opening it to closing it: pictures go to [preview] and to [listener], which holds at most
 * [held] of them besides those that wait to be joined and the one that just came. Which clock stamps them, a phone shows
 * (device-only: camera-clock).
 */
class CameraSource(
    private val manager: CameraManager,
    private val choice: CameraChoice,
    private val preview: Surface?,
    private val handler: Handler,
    private val listener: CameraListener,
    held: Int,
) : Closeable {
    private val reader = ImageReader.newInstance(
        choice.size.width,
        choice.size.height,
        ImageFormat.YUV_420_888,
        ResultJoin.DEFAULT_WINDOW + 1 + held,
    )
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private val over = AtomicBoolean()

    /** Frame number in the session → timestamp, of the last frames that began and that the camera did not lose. */
    private val started = object : LinkedHashMap<Long, Long>() {
        override fun removeEldestEntry(eldest: Map.Entry<Long, Long>) = size > REMEMBERED
    }

    /** On any thread; what goes wrong, [listener] hears. */
    @SuppressLint("MissingPermission")
    fun open() {
        reader.setOnImageAvailableListener({ if (!over.get()) take(it) }, handler)
        guarded { manager.openCamera(choice.cameraId, deviceCallback, handler) }
    }

    /** On the camera's thread. What [listener] still holds of pictures must be closed before. */
    override fun close() {
        over.set(true)
        session?.close()
        device?.close()
        reader.close()
    }

    /** All that are there. */
    private fun take(reader: ImageReader) {
        while (true) listener.available(acquire(reader) ?: return)
    }

    /**
     * Null if nothing is there, or as many pictures are held as may be: then it is left, and comes with the next one. If
     * that is too late for its capture result, the frame was dropped by the queue.
     */
    private fun acquire(reader: ImageReader): Image? = try {
        reader.acquireNextImage()
    } catch (_: IllegalStateException) {
        null
    }

    private fun broken(reason: String) {
        if (over.compareAndSet(false, true)) listener.broken(reason)
    }

    /** The camera may be closed by the system between any two calls; then these are illegal. */
    private fun guarded(action: () -> Unit) {
        try {
            action()
        } catch (error: CameraAccessException) {
            broken("the camera cannot be used: ${error.message}")
        } catch (error: SecurityException) {
            broken("the camera may not be used: ${error.message}")
        } catch (error: IllegalStateException) {
            broken("the camera was closed: ${error.message}")
        } catch (error: IllegalArgumentException) {
            broken("the camera refused what was asked of it: ${error.message}")
        }
    }

    private val deviceCallback = object : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            if (over.get()) return camera.close()
            device = camera
            guarded { configure(camera) }
        }

        override fun onDisconnected(camera: CameraDevice) {
            camera.close()
            broken("another app took the camera")
        }

        override fun onError(camera: CameraDevice, error: Int) {
            camera.close()
            broken("the camera reported error $error of CameraDevice.StateCallback")
        }
    }

    @Suppress("DEPRECATION") // What replaces it came with API 28.
    private fun configure(camera: CameraDevice) {
        camera.createCaptureSession(listOfNotNull(reader.surface, preview), sessionCallback, handler)
    }

    private val sessionCallback = object : CameraCaptureSession.StateCallback() {
        override fun onConfigured(configured: CameraCaptureSession) {
            if (over.get()) return
            session = configured
            guarded { configured.setRepeatingRequest(request(configured.device), captureCallback, handler) }
        }

        override fun onConfigureFailed(configured: CameraCaptureSession) {
            broken("the camera refused ${choice.size} at ${choice.framesPerSecond} frames a second")
        }
    }

    private fun request(camera: CameraDevice): CaptureRequest =
        camera.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW).apply {
            addTarget(reader.surface)
            preview?.let(::addTarget)
            set(CaptureRequest.CONTROL_AE_TARGET_FPS_RANGE, choice.framesPerSecond)
            set(CaptureRequest.CONTROL_AF_MODE, CameraMetadata.CONTROL_AF_MODE_CONTINUOUS_PICTURE)
            // Stabilising holds frames back.
            set(
                CaptureRequest.CONTROL_VIDEO_STABILIZATION_MODE,
                CameraMetadata.CONTROL_VIDEO_STABILIZATION_MODE_OFF,
            )
        }.build()

    private val captureCallback = object : CameraCaptureSession.CaptureCallback() {
        override fun onCaptureStarted(
            session: CameraCaptureSession,
            request: CaptureRequest,
            timestamp: Long,
            frameNumber: Long,
        ) {
            started[frameNumber] = timestamp
            listener.started(timestamp)
        }

        /** A frame that was lost has a result all the same, which is nobody's. */
        override fun onCaptureCompleted(
            session: CameraCaptureSession,
            request: CaptureRequest,
            result: TotalCaptureResult,
        ) {
            if (result.frameNumber in started) exposure(result)?.let(listener::completed)
        }

        override fun onCaptureFailed(session: CameraCaptureSession, request: CaptureRequest, failure: CaptureFailure) {
            started.remove(failure.frameNumber)?.let(listener::lost)
        }

        override fun onCaptureBufferLost(
            session: CameraCaptureSession,
            request: CaptureRequest,
            target: Surface,
            frameNumber: Long,
        ) {
            if (target == reader.surface) started.remove(frameNumber)?.let(listener::lost)
        }
    }

    private companion object {
        /** A loss may be told after the frame's capture result; frames that are older are joined or given up. */
        const val REMEMBERED = 32

        /** Null without a timestamp, which joins a result to its picture. Cameras may leave out the rest: then 0. */
        fun exposure(result: CaptureResult): Exposure? {
            val timestampNs = result[CaptureResult.SENSOR_TIMESTAMP] ?: return null
            return Exposure(
                timestampNs,
                result[CaptureResult.SENSOR_EXPOSURE_TIME] ?: 0,
                result[CaptureResult.SENSOR_ROLLING_SHUTTER_SKEW] ?: 0,
                result[CaptureResult.SENSOR_FRAME_DURATION] ?: 0,
            )
        }
    }
}
