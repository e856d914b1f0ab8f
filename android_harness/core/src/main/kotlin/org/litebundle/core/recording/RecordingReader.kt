package org.litebundle.core.recording

import org.litebundle.core.clock.BoottimeNs
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.Exposure
import org.litebundle.core.glue.MAX_SIDE
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed
import java.nio.ByteBuffer
import java.time.Instant
import java.time.format.DateTimeParseException

/** What `recording.json` says. */
internal class RecordingIndex(
    val info: RecordingInfo,
    val format: FrameFormat,
    val clock: RecordedClock,
    val frames: List<RecordedFrame>,
)

/** Reads `recording.json` and checks what it can without the frames' files; keys it does not know are ignored. */
internal object RecordingReader {
    private val version = Regex("1\\.[0-9]{1,6}")
    private const val MAX_BYTES = 1L shl 30
    private const val MAX_DURATION_NS = 60_000_000_000
    private const val MAX_SPAN_NS = 86_400_000_000_000
    private const val QUARTER = 90
    private const val LAST_TURN = 270L
    private val utc = Regex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{1,9})?Z")

    /** Throws [RecordingException]. */
    fun read(bytes: ByteBuffer): RecordingIndex = try {
        read(Placed(Json.parse(bytes)))
    } catch (error: JsonException) {
        throw RecordingException("file '$INDEX': ${error.message}; record again")
    }

    private fun read(document: Placed): RecordingIndex {
        val given = document["format_version"].text()
        if (!version.matches(given)) {
            document["format_version"].fail("is $given, and this reads 1.x: use the harness that recorded it")
        }
        val format = readFormat(document)
        format.fault()?.let { document["planes"].fail("do not hold the picture: $it") }
        val clock = readClock(document["sensor_clock"])
        val frames = document["frames"].list(::readFrame)
        checkOrder(frames, clock, document["frames"])
        checkSpan(frames.map { it.exposure.timestampNs }, document["frames"])
        checkSpan(frames.flatMap { listOfNotNull(it.captureResult?.ns, it.imageAvailable?.ns) }, document["frames"])
        val info = RecordingInfo(
            readUtc(document["made_utc"]),
            document["device"].text(),
            readQuarterTurn(document["sensor_orientation_deg"]),
        )
        return RecordingIndex(info, format, clock, frames)
    }

    private fun readFormat(document: Placed) = FrameFormat(
        width = document["width"].whole(1, MAX_SIDE.toLong()).toInt(),
        height = document["height"].whole(1, MAX_SIDE.toLong()).toInt(),
        standard = ColorStandard.valueOf(oneOf(document["standard"], "bt601", "bt709").uppercase()),
        range = ColorRange.valueOf(oneOf(document["range"], "full", "limited").uppercase()),
        frameBytes = document["frame_bytes"].whole(1, MAX_BYTES).toInt(),
        y = readPlane(document["planes"]["y"]),
        u = readPlane(document["planes"]["u"]),
        v = readPlane(document["planes"]["v"]),
    )

    private fun readPlane(plane: Placed) = PlaneLayout(
        offset = plane["offset"].whole(0, MAX_BYTES).toInt(),
        sizeBytes = plane["size_bytes"].whole(1, MAX_BYTES).toInt(),
        rowStride = plane["row_stride"].whole(1, MAX_BYTES).toInt(),
        pixelStride = plane["pixel_stride"].whole(1, MAX_BYTES).toInt(),
    )

    private fun readClock(clock: Placed): RecordedClock =
        when (oneOf(clock["domain"], "monotonic", "boottime", "undecided")) {
            "monotonic" -> RecordedClock.Monotonic

            "boottime" -> {
                val low = anyLong(clock["offset_low_ns"])
                RecordedClock.Boottime(ClockOffset(low, clock["offset_high_ns"].whole(low, MAX_TIME_NS)))
            }

            else -> RecordedClock.Undecided
        }

    private fun readFrame(frame: Placed): RecordedFrame {
        val exposure = Exposure(
            timestampNs = anyLong(frame["timestamp_ns"]),
            exposureNs = duration(frame["exposure_ns"]),
            rollingShutterSkewNs = duration(frame["skew_ns"]),
            frameDurationNs = duration(frame["frame_duration_ns"]),
        )
        val file = frame["file"].orNull()?.text()
        val available = frame["image_available_ns"].orNull()?.let(::anyLong)?.let(::MonotonicNs)
        if ((file == null) != (available == null)) {
            frame.fail("has a file without image_available_ns, or the other way round: both are null, or none is")
        }
        val result = frame["capture_result_ns"].orNull()?.let(::anyLong)?.let(::MonotonicNs)
        return RecordedFrame(exposure, result, available, file)
    }

    private fun checkOrder(frames: List<RecordedFrame>, clock: RecordedClock, place: Placed) {
        for ((one, next) in frames.zipWithNext()) {
            if (one.exposure.timestampNs >= next.exposure.timestampNs) {
                place.fail("must be in the order of their timestamps: ${next.exposure.timestampNs} is out of it")
            }
        }
        for ((one, next) in frames.mapNotNull { it.imageAvailable }.zipWithNext()) {
            if (one >
                next
            ) {
                place.fail("must become available in their order: image_available_ns ${next.ns} is out of it")
            }
        }
        for (frame in frames) {
            val began = beganAtEarliest(frame.exposure.timestampNs, clock) ?: continue
            val heard = listOfNotNull(frame.imageAvailable, frame.captureResult).minOrNull() ?: continue
            if (heard < began) {
                place.fail("cannot come before their exposure: timestamp_ns ${frame.exposure.timestampNs} does")
            }
        }
    }

    /** Reports have a line for each second of a run. */
    private fun checkSpan(timesNs: List<Long>, place: Placed) {
        if (timesNs.isNotEmpty() && timesNs.max() - timesNs.min() > MAX_SPAN_NS) {
            place.fail("last from ${timesNs.min()} to ${timesNs.max()} ns; a recording lasts a day at most")
        }
    }

    private fun beganAtEarliest(timestampNs: Long, clock: RecordedClock): MonotonicNs? = when (clock) {
        RecordedClock.Monotonic -> MonotonicNs(timestampNs)
        is RecordedClock.Boottime -> clock.offset.toMonotonic(BoottimeNs(timestampNs)).earliest
        RecordedClock.Undecided -> null
    }

    private fun anyLong(value: Placed) = value.whole(-MAX_TIME_NS, MAX_TIME_NS)

    private fun duration(value: Placed) = value.whole(0, MAX_DURATION_NS)

    private fun readUtc(time: Placed): String {
        val given = time.text()
        val isTime = try {
            utc.matches(given) && Instant.parse(given) != null
        } catch (_: DateTimeParseException) {
            false
        }
        return if (isTime) given else time.fail("is $given, not a time of RFC 3339 that ends in Z")
    }

    private fun readQuarterTurn(angle: Placed): Int {
        val degrees = angle.whole(0, LAST_TURN).toInt()
        return if (degrees % QUARTER == 0) degrees else angle.fail("is $degrees, not one of 0, 90, 180, 270")
    }

    private fun oneOf(value: Placed, vararg allowed: String): String {
        val given = value.text()
        return if (given in allowed) given else value.fail("is $given, not one of ${allowed.joinToString()}")
    }

    /** 146 years: sums of two times do not overflow. */
    private const val MAX_TIME_NS = Long.MAX_VALUE / 2
}
