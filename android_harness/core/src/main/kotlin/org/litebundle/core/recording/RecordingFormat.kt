package org.litebundle.core.recording

import org.litebundle.core.clock.ClockDomain
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.clock.isNothing
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.Exposure

/** Why a recording is refused or cannot be written: what is wrong, the rule of docs/recording.md, and the way out. */
class RecordingException(message: String) : Exception(message)

/** Where a recording comes from. [madeUtc]: RFC 3339, ending in Z; [sensorOrientation]: degrees clockwise. */
data class RecordingInfo(val madeUtc: String, val device: String, val sensorOrientation: Int)

/** What all pictures of a recording have in common; [frameBytes] is the size of a frame's file. */
data class FrameFormat(
    val width: Int,
    val height: Int,
    val standard: ColorStandard,
    val range: ColorRange,
    val frameBytes: Int,
    val y: PlaneLayout,
    val u: PlaneLayout,
    val v: PlaneLayout,
) {
    /** The rule that this breaks, in words; null: none. */
    fun fault(): String? {
        val (columns, rows) = (width + 1) / 2 to (height + 1) / 2
        return y.fault("y", width, height, frameBytes)
            ?: u.fault("u", columns, rows, frameBytes)
            ?: v.fault("v", columns, rows, frameBytes)
    }
}

/** Where a plane lies in a frame's file, in bytes. Planes may overlap, as U and V of NV21 do. */
data class PlaneLayout(val offset: Int, val sizeBytes: Int, val rowStride: Int, val pixelStride: Int) {
    internal fun fault(name: String, columns: Int, rows: Int, frameBytes: Int): String? {
        val rowBytes = (columns - 1L) * pixelStride + 1
        val neededBytes = (rows - 1L) * rowStride + rowBytes
        return when {
            rowStride < rowBytes -> "plane $name: a row of $columns samples takes $rowBytes bytes, not $rowStride"

            sizeBytes < neededBytes -> "plane $name: $rows rows take $neededBytes bytes, not $sizeBytes"

            offset.toLong() + sizeBytes > frameBytes ->
                "plane $name ends at byte ${offset.toLong() + sizeBytes}, beyond the $frameBytes of a frame's file"

            else -> null
        }
    }
}

/** What the frames' timestamps count in. */
sealed interface RecordedClock {
    /** What a replay's report says of the clock. */
    val sensor: SensorClock

    /** BOOTTIME − MONOTONIC while it was recorded; null where the timestamps do not need it, or nobody knows it. */
    val offset: ClockOffset?

    companion object {
        /** [offset]: what it was from the first frame to the last; null: it moved, or nobody knows it. */
        fun of(sensor: SensorClock, offset: ClockOffset?): RecordedClock = when (sensor) {
            SensorClock.Realtime -> boottime(offset)
            is SensorClock.Inferred -> if (sensor.domain == ClockDomain.BOOTTIME) boottime(offset) else Monotonic
            SensorClock.Immaterial -> if (offset?.isNothing() == true) Monotonic else Undecided
            is SensorClock.Undecided -> Undecided
        }

        private fun boottime(offset: ClockOffset?) = if (offset == null) Undecided else Boottime(offset)
    }

    data object Monotonic : RecordedClock {
        override val sensor = SensorClock.Inferred(ClockDomain.MONOTONIC)
        override val offset = null
    }

    data class Boottime(override val offset: ClockOffset) : RecordedClock {
        override val sensor get() = SensorClock.Realtime
    }

    /** It could not be told; a replay then has no latencies. */
    data object Undecided : RecordedClock {
        override val sensor = SensorClock.Undecided("it was not known when the frames were recorded")
        override val offset = null
    }
}

/**
 * A frame as the camera gave it. [file] holds its planes; it and [imageAvailable] are null for a frame whose image never
 * came, [captureResult] if the camera never said how it took the frame.
 */
data class RecordedFrame(
    val exposure: Exposure,
    val captureResult: MonotonicNs?,
    val imageAvailable: MonotonicNs?,
    val file: String?,
)
