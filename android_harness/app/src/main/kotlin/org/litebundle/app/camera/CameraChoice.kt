package org.litebundle.app.camera

import android.graphics.ImageFormat
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraCharacteristics
import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.util.Range
import android.util.Size

/**
 * What of a device's cameras is used: the one at the back if there is one, its largest 4:3 picture of at most
 * [MOST_PIXELS] (else the largest of any shape), and a fixed frame rate.
 */
data class CameraChoice(
    val cameraId: String,
    val size: Size,
    /** A rate that the camera may lower in the dark makes exposure times, and so latencies, vary with the light. */
    val framesPerSecond: Range<Int>,
    /** Clockwise degrees by which a picture is turned to stand upright on the device's natural orientation. */
    val sensorOrientation: Int,
    val facesFront: Boolean,
    /** Whether timestamps are said to be of `SystemClock.elapsedRealtimeNanos`. */
    val timestampsAreRealtime: Boolean,
) {
    /** Clockwise degrees by which a picture is turned to stand upright on a display that is turned by [displayDegrees]. */
    fun turnFor(displayDegrees: Int): Int {
        val sign = if (facesFront) 1 else -1
        return Math.floorMod(sensorOrientation + sign * displayDegrees, FULL_TURN)
    }

    companion object {
        const val MOST_PIXELS = 1280 * 960
        private const val MOST_FRAMES_PER_SECOND = 60
        private const val FULL_TURN = 360
        private const val NS_PER_SECOND = 1_000_000_000L

        /** Null if the device has no camera that gives YUV_420_888 pictures. Throws [CameraAccessException]. */
        fun of(manager: CameraManager): CameraChoice? {
            val cameras = manager.cameraIdList.map { it to manager.getCameraCharacteristics(it) }
            val ordered = cameras.sortedBy { (_, it) -> FACINGS.indexOf(it[CameraCharacteristics.LENS_FACING]) }
            return ordered.firstNotNullOfOrNull { (id, characteristics) -> of(id, characteristics) }
        }

        private val FACINGS = listOf(
            CameraMetadata.LENS_FACING_BACK,
            CameraMetadata.LENS_FACING_EXTERNAL,
            CameraMetadata.LENS_FACING_FRONT,
        )

        fun of(id: String, camera: CameraCharacteristics): CameraChoice? {
            val streams = camera[CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP] ?: return null
            val sizes = streams.getOutputSizes(ImageFormat.YUV_420_888)?.takeIf { it.isNotEmpty() } ?: return null
            val size = chooseSize(sizes.asList())
            val shortestNs = streams.getOutputMinFrameDuration(ImageFormat.YUV_420_888, size)
            val ranges = camera[CameraCharacteristics.CONTROL_AE_AVAILABLE_TARGET_FPS_RANGES].orEmpty().asList()
            val front = camera[CameraCharacteristics.LENS_FACING] == CameraMetadata.LENS_FACING_FRONT
            val source = camera[CameraCharacteristics.SENSOR_INFO_TIMESTAMP_SOURCE]
            return CameraChoice(
                cameraId = id,
                size = size,
                framesPerSecond = chooseRate(ranges, shortestNs) ?: return null,
                sensorOrientation = camera[CameraCharacteristics.SENSOR_ORIENTATION] ?: 0,
                facesFront = front,
                timestampsAreRealtime = source == CameraMetadata.SENSOR_INFO_TIMESTAMP_SOURCE_REALTIME,
            )
        }

        internal fun chooseSize(sizes: List<Size>): Size {
            val allowed = sizes.filter { pixels(it) <= MOST_PIXELS }.ifEmpty { listOf(sizes.minBy(::pixels)) }
            return allowed.filter { 3 * it.width == 4 * it.height }.ifEmpty { allowed }.maxBy(::pixels)
        }

        /** The highest fixed rate that the size allows, at most 60; without any, the range whose ends are highest. */
        internal fun chooseRate(ranges: List<Range<Int>>, shortestFrameNs: Long): Range<Int>? {
            val possible = ranges.filter { it.upper <= MOST_FRAMES_PER_SECOND && fits(it, shortestFrameNs) }
            val fixed = possible.filter { it.lower == it.upper }.maxByOrNull { it.upper }
            return fixed ?: possible.ifEmpty { ranges }.maxWithOrNull(compareBy({ it.lower }, { it.upper }))
        }

        /** Durations are given to the microsecond or so: 33,333,333 ns are 30 frames a second. */
        private fun fits(range: Range<Int>, shortestFrameNs: Long) =
            range.upper * (shortestFrameNs - ROUNDING_NS) <= NS_PER_SECOND

        private const val ROUNDING_NS = 100_000L

        private fun pixels(size: Size) = size.width * size.height
    }
}
