package org.litebundle.app

import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CameraDevice
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.CaptureResult
import android.hardware.camera2.TotalCaptureResult
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import android.view.Surface
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.YuvImage
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.annotation.RealObject
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowCameraCaptureSessionImpl
import org.robolectric.shadows.ShadowCameraDeviceImpl
import org.robolectric.shadows.ShadowCaptureResult
import org.robolectric.shadows.ShadowImageReader
import org.robolectric.shadows.ShadowTotalCaptureResult
import org.robolectric.util.ReflectionHelpers
import java.nio.ByteBuffer
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import org.litebundle.core.frame.Plane as CorePlane

/** The camera of a test: it sends what the test tells it to, through the app's own callbacks. */
object FakeCamera {
    @Volatile
    var callback: CameraCaptureSession.CaptureCallback? = null

    @Volatile
    var callbackHandler: Handler? = null
    var session: CameraCaptureSession? = null
    var request: CaptureRequest? = null
    val images = LinkedBlockingQueue<FakeImage>()
    var reader: ImageReader? = null
    var readerListener: ImageReader.OnImageAvailableListener? = null
    val held: MutableSet<FakeImage> = Collections.synchronizedSet(HashSet())

    /** How many pictures the reader lets be held, if not as many as it was made for. */
    @Volatile
    var room: Int? = null

    /** Thrown by a request for frames. */
    var refusal: Exception? = null
    private var frameNumber = 0L

    fun reset() {
        callback = null
        images.clear()
        held.clear()
        room = null
        refusal = null
        frameNumber = 0
    }

    fun begin(timestampNs: Long): Long {
        val number = frameNumber++
        post { callback?.onCaptureStarted(session!!, request!!, timestampNs, number) }
        return number
    }

    fun result(number: Long, timestampNs: Long, exposureNs: Long = EXPOSURE_NS, skewNs: Long = SKEW_NS) {
        val result = ShadowTotalCaptureResult.newTotalCaptureResult()
        with(Shadow.extract<ShadowCaptureResult>(result)) {
            set(CaptureResult.SENSOR_TIMESTAMP, timestampNs)
            set(CaptureResult.SENSOR_EXPOSURE_TIME, exposureNs)
            set(CaptureResult.SENSOR_ROLLING_SHUTTER_SKEW, skewNs)
            set(CaptureResult.SENSOR_FRAME_DURATION, FRAME_NS)
        }
        ReflectionHelpers.setField(CaptureResult::class.java, result, "mFrameNumber", number)
        post { callback?.onCaptureCompleted(session!!, request!!, result as TotalCaptureResult) }
    }

    fun image(image: FakeImage) {
        images.add(image)
        post { readerListener?.onImageAvailable(reader) }
    }

    /** A frame that comes whole. */
    fun send(image: FakeImage, exposureNs: Long = EXPOSURE_NS, skewNs: Long = SKEW_NS) {
        result(begin(image.timestamp), image.timestamp, exposureNs, skewNs)
        image(image)
    }

    fun lose(number: Long) = post { callback?.onCaptureBufferLost(session!!, request!!, reader!!.surface, number) }

    /** Waits until the app has heard everything. */
    fun idle() {
        val heard = CountDownLatch(1)
        post(heard::countDown)
        check(heard.await(10, TimeUnit.SECONDS)) { "the camera's thread does not answer" }
    }

    private fun post(action: () -> Unit) {
        callbackHandler?.post(action)
    }

    const val EXPOSURE_NS = 8_000_000L
    const val SKEW_NS = 20_000_000L
    const val FRAME_NS = 33_333_333L
}

/** [picture] as a camera gives it; [read] is called by whoever reads it, and [closed] when it is closed. */
class FakeImage(
    private val timestampNs: Long,
    private val picture: YuvImage,
    private val read: () -> Unit = {},
    private val closed: (FakeImage) -> Unit = {},
) : Image() {
    init {
        mIsImageValid = true
    }

    override fun getFormat() = android.graphics.ImageFormat.YUV_420_888

    override fun getWidth() = picture.width

    override fun getHeight() = picture.height

    override fun getTimestamp() = timestampNs

    override fun getTransform() = 0

    override fun getScalingMode() = 0

    override fun getPlanes(): Array<Plane> {
        read()
        return with(picture) { arrayOf(FakePlane(y), FakePlane(u), FakePlane(v)) }
    }

    override fun close() {
        FakeCamera.held.remove(this)
        closed(this)
    }

    private class FakePlane(private val plane: CorePlane) : Plane() {
        override fun getRowStride() = plane.rowStride

        override fun getPixelStride() = plane.pixelStride

        override fun getBuffer() = plane.bytes
    }

    companion object {
        private const val GRAY = 0x80.toByte()

        /** A picture whose [luma] is [width] × [height], of one [chroma]; each plane lies alone. */
        fun picture(
            width: Int,
            height: Int,
            chroma: Byte = GRAY,
            luma: (x: Int, y: Int) -> Byte = { _, _ -> GRAY },
        ): YuvImage {
            val y = plane(width, height, luma)
            val (u, v) = List(2) { plane((width + 1) / 2, (height + 1) / 2) { _, _ -> chroma } }
            return YuvImage(width, height, y, u, v, ColorStandard.BT601, ColorRange.FULL)
        }

        private fun plane(width: Int, height: Int, value: (x: Int, y: Int) -> Byte): CorePlane {
            val bytes = ByteBuffer.allocateDirect(width * height)
            for (i in 0 until width * height) bytes.put(i, value(i % width, i / width))
            return CorePlane(bytes, width, 1)
        }
    }
}

@Implements(ImageReader::class)
class FakeImageReader : ShadowImageReader() {
    @RealObject
    private lateinit var reader: ImageReader

    @Implementation
    fun setOnImageAvailableListener(listener: ImageReader.OnImageAvailableListener?, handler: Handler?) {
        FakeCamera.reader = reader
        FakeCamera.readerListener = listener
    }

    @Implementation
    fun acquireNextImage(): Image? {
        val room = FakeCamera.room ?: reader.maxImages
        check(FakeCamera.held.size < room) { "maxImages ($room) has already been acquired" }
        return FakeCamera.images.poll()?.also(FakeCamera.held::add)
    }
}

/** Robolectric's own makes sessions from API 28 on. */
@Implements(className = "android.hardware.camera2.impl.CameraDeviceImpl", isInAndroidSdk = false)
class FakeCameraDevice : ShadowCameraDeviceImpl() {
    @RealObject
    private lateinit var device: CameraDevice

    @Implementation
    public override fun createCaptureSession(
        outputs: List<Surface>,
        callback: CameraCaptureSession.StateCallback,
        handler: Handler?,
    ) {
        val session = Shadow.newInstanceOf(CAPTURE_SESSION) as CameraCaptureSession
        ReflectionHelpers.setField(session, "mDeviceImpl", device)
        checkNotNull(handler).post { callback.onConfigured(session) }
    }
}

private const val CAPTURE_SESSION = "android.hardware.camera2.impl.CameraCaptureSessionImpl"

@Implements(className = CAPTURE_SESSION, isInAndroidSdk = false)
class FakeCaptureSession : ShadowCameraCaptureSessionImpl() {
    @RealObject
    private lateinit var session: CameraCaptureSession

    @Implementation
    public override fun setRepeatingRequest(
        request: CaptureRequest,
        callback: CameraCaptureSession.CaptureCallback,
        handler: Handler?,
    ): Int {
        FakeCamera.refusal?.let { throw it }
        FakeCamera.session = session
        FakeCamera.request = request
        FakeCamera.callbackHandler = handler
        FakeCamera.callback = callback
        return 1
    }

    @Implementation
    public override fun close() = Unit
}
