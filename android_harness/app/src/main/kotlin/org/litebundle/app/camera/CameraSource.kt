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
import java.io.Closeable

/** Hears what the camera does, on the camera's thread. */
interface CameraListener {
    /** The exposure of a frame began at [timestampNs] of the sensor's clock; by this time it is known from here on. */
    fun started(timestampNs: Long)

    fun completed(exposure: Exposure)

    /** A picture came; it is the listener's to close. */
    fun available(image: Image)

    /** The camera lost the frame, or its picture; nothing more comes of it. */
    fun lost(timestampNs: Long)

    /** The camera cannot go on, for the [reason] in words. */
    fun broken(reason: String)
}

/**
 * The camera, from opening it to closing it: pictures go to [preview] and, at most [IMAGES] of them at a time, to
 * [listener]. Which clock stamps them, a phone shows (device-only: camera-clock).
 */
class CameraSource(
    private val manager: CameraManager,
    private val choice: CameraChoice,
    private val preview: Surface?,
    private val handler: Handler,
    private val listener: CameraListener,
) : Closeable {
    private val reader =
        ImageReader.newInstance(choice.size.width, choice.size.height, ImageFormat.YUV_420_888, IMAGES)
    private var device: CameraDevice? = null
    private var session: CameraCaptureSession? = null
    private var closed = false

    /** Frame number in the session → timestamp, of frames that began and of which no capture result came yet. */
    private val started = HashMap<Long, Long>()

    /** Throws [SecurityException] without the permission. */
    @SuppressLint("MissingPermission")
    fun open() {
        reader.setOnImageAvailableListener({ if (!closed) take(it) }, handler)
        guarded { manager.openCamera(choice.cameraId, deviceCallback, handler) }
    }

    /** On the camera's thread. What [listener] still holds of pictures must be closed before. */
    override fun close() {
        closed = true
        session?.close()
        device?.close()
        reader.close()
    }

    private fun take(reader: ImageReader) {
        try {
            reader.acquireNextImage()?.let(listener::available)
        } catch (_: IllegalStateException) {
            listener.broken("$IMAGES pictures are held and the camera sends no capture results for them")
        }
    }

    private fun guarded(action: () -> Unit) {
        try {
            action()
        } catch (error: CameraAccessException) {
            listener.broken("the camera cannot be used: ${error.message}")
        }
    }

    private val deviceCallback = object : CameraDevice.StateCallback() {
        override fun onOpened(camera: CameraDevice) {
            if (closed) return camera.close()
            device = camera
            guarded { configure(camera) }
        }

        override fun onDisconnected(camera: CameraDevice) {
            camera.close()
            if (!closed) listener.broken("another app took the camera")
        }

        override fun onError(camera: CameraDevice, error: Int) {
            camera.close()
            if (!closed) listener.broken("the camera reported error $error of CameraDevice.StateCallback")
        }
    }

    @Suppress("DEPRECATION") // What replaces it came with API 28.
    private fun configure(camera: CameraDevice) {
        camera.createCaptureSession(listOfNotNull(reader.surface, preview), sessionCallback, handler)
    }

    private val sessionCallback = object : CameraCaptureSession.StateCallback() {
        override fun onConfigured(configured: CameraCaptureSession) {
            if (closed) return
            session = configured
            guarded { configured.setRepeatingRequest(request(configured.device), captureCallback, handler) }
        }

        override fun onConfigureFailed(configured: CameraCaptureSession) {
            listener.broken("the camera refused ${choice.size} at ${choice.framesPerSecond} frames a second")
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
            if (started.remove(result.frameNumber) != null) exposure(result)?.let(listener::completed)
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
        /** One with the pipeline, one that waits for it, three that wait for capture results, one that is filled. */
        const val IMAGES = 6

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
