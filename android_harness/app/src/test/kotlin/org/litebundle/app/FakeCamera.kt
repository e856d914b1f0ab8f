package org.litebundle.app

import android.hardware.camera2.CameraCaptureSession
import android.hardware.camera2.CaptureRequest
import android.hardware.camera2.CaptureResult
import android.hardware.camera2.TotalCaptureResult
import android.media.Image
import android.media.ImageReader
import android.os.Handler
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.annotation.RealObject
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowCameraCaptureSessionImpl
import org.robolectric.shadows.ShadowCaptureResult
import org.robolectric.shadows.ShadowImageReader
import org.robolectric.shadows.ShadowTotalCaptureResult
import org.robolectric.util.ReflectionHelpers
import java.nio.ByteBuffer
import java.util.Collections
import java.util.concurrent.CountDownLatch
import java.util.concurrent.LinkedBlockingQueue

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

    fun result(number: Long, timestampNs: Long) {
        val result = ShadowTotalCaptureResult.newTotalCaptureResult()
        with(Shadow.extract<ShadowCaptureResult>(result)) {
            set(CaptureResult.SENSOR_TIMESTAMP, timestampNs)
            set(CaptureResult.SENSOR_EXPOSURE_TIME, EXPOSURE_NS)
            set(CaptureResult.SENSOR_ROLLING_SHUTTER_SKEW, SKEW_NS)
            set(CaptureResult.SENSOR_FRAME_DURATION, FRAME_NS)
        }
        ReflectionHelpers.setField(CaptureResult::class.java, result, "mFrameNumber", number)
        post { callback?.onCaptureCompleted(session!!, request!!, result as TotalCaptureResult) }
    }

    fun image(image: FakeImage) {
        images.add(image)
        post { readerListener?.onImageAvailable(reader) }
    }

    fun lose(number: Long) = post { callback?.onCaptureBufferLost(session!!, request!!, reader!!.surface, number) }

    /** Waits until the app has heard everything. */
    fun idle() {
        val heard = CountDownLatch(1)
        post(heard::countDown)
        heard.await()
    }

    private fun post(action: () -> Unit) {
        callbackHandler?.post(action)
    }

    const val EXPOSURE_NS = 8_000_000L
    const val SKEW_NS = 20_000_000L
    const val FRAME_NS = 33_333_333L
}

/** A picture of [gray] alone, of which each plane lies alone; [read] is called by whoever reads it. */
class FakeImage(
    private val timestampNs: Long,
    private val side: Int,
    private val gray: Byte = GRAY,
    private val read: () -> Unit = {},
    val closed: (FakeImage) -> Unit,
) : Image() {
    init {
        mIsImageValid = true
    }

    override fun getFormat() = android.graphics.ImageFormat.YUV_420_888

    override fun getWidth() = side

    override fun getHeight() = side

    override fun getTimestamp() = timestampNs

    override fun getTransform() = 0

    override fun getScalingMode() = 0

    override fun getPlanes(): Array<Plane> {
        read()
        return arrayOf(plane(side), plane(side / 2), plane(side / 2))
    }

    override fun close() {
        FakeCamera.held.remove(this)
        closed(this)
    }

    private fun plane(side: Int): Plane {
        val bytes = ByteBuffer.allocateDirect(side * side)
        for (i in 0 until side * side) bytes.put(i, gray)
        return object : Plane() {
            override fun getRowStride() = side

            override fun getPixelStride() = 1

            override fun getBuffer() = bytes
        }
    }

    private companion object {
        const val GRAY = 0x80.toByte()
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

@Implements(className = "android.hardware.camera2.impl.CameraCaptureSessionImpl", isInAndroidSdk = false)
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
}
