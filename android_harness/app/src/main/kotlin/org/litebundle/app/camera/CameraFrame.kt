package org.litebundle.app.camera

import android.media.Image
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage

/** A picture joined to what the camera said of it; [frame] is its id in the ledger. Whoever takes it closes it. */
class CameraFrame(val frame: Long, val exposure: Exposure, private val image: Image) : AutoCloseable {
    /** The picture where the camera wrote it; valid until [close]. */
    fun picture(): YuvImage {
        val color = FrameColor.of(image)
        val (y, u, v) = image.planes.map { Plane(it.buffer, it.rowStride, it.pixelStride) }
        return YuvImage(image.width, image.height, y, u, v, color.standard, color.range)
    }

    override fun close() = image.close()
}
