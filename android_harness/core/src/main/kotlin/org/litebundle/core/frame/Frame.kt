package org.litebundle.core.frame

import java.nio.ByteBuffer

/**
 * A plane of YUV_420_888: sample (column c, row r) is at r · [rowStride] + c · [pixelStride] of [bytes], counted from the
 * buffer's beginning. Its position stays as it is. One thread at a time.
 */
class Plane(val bytes: ByteBuffer, val rowStride: Int, val pixelStride: Int) {
    /** The same bytes with a position of their own. */
    internal val view: ByteBuffer = bytes.duplicate()
}

enum class ColorStandard { BT601, BT709 }

enum class ColorRange { FULL, LIMITED }

/**
 * A camera picture, YUV_420_888. U and V have (width + 1) / 2 columns and (height + 1) / 2 rows; NV12, NV21 and I420 are
 * such planes.
 */
class YuvImage(
    val width: Int,
    val height: Int,
    val y: Plane,
    val u: Plane,
    val v: Plane,
    val standard: ColorStandard,
    val range: ColorRange,
)

/** What the camera said of a frame, in ns; times are in the sensor's own clock domain until they are joined. */
data class Exposure(
    val timestampNs: Long,
    val exposureNs: Long,
    val rollingShutterSkewNs: Long,
    val frameDurationNs: Long,
)
