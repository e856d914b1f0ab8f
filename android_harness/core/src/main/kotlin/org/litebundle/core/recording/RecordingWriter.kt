package org.litebundle.core.recording

import com.google.gson.stream.JsonWriter
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.files.WholeFiles
import org.litebundle.core.files.naming
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage
import java.io.File
import java.io.IOException
import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.StandardOpenOption

/**
 * Writes a recording (docs/recording.md) into [folder], frame by frame: memory holds the frames' times alone. Until
 * [finish] there is no recording.json, so what a crash leaves is refused as cut off.
 *
 * Beginning throws [RecordingException] if [folder] holds anything, [IOException] if it cannot be made.
 */
class RecordingWriter(private val folder: File, private val info: RecordingInfo) {
    private var format: FrameFormat? = null
    private val frames = ArrayList<RecordedFrame>()

    init {
        Files.createDirectories(folder.toPath())
        if (folder.list().orEmpty().isNotEmpty()) {
            throw RecordingException("$folder holds files already: record into a new folder")
        }
    }

    /**
     * Add a frame; [image]'s buffers are read from position to limit and only during this call.
     *
     * Throws [RecordingException] if its size, strides or colours are not those of the images before, [IOException].
     */
    fun add(exposure: Exposure, captureResult: MonotonicNs?, imageAvailable: MonotonicNs, image: YuvImage) {
        val expected = format ?: formatOf(image).also { format = it }
        if (formatOf(image) != expected) {
            throw RecordingException("frame ${frames.size} has another size, strides or colours than the first one")
        }
        val name = "frames/${frames.size.toString().padStart(DIGITS, '0')}.yuv"
        writePlanes(File(folder, name), image)
        frames.add(RecordedFrame(exposure, captureResult, imageAvailable, name))
    }

    /** Add a frame whose image never came; frames may be added in any order. */
    fun addLost(exposure: Exposure, captureResult: MonotonicNs?) {
        frames.add(RecordedFrame(exposure, captureResult, null, null))
    }

    /** Write recording.json. Throws [RecordingException] if there was no image, [IOException]. */
    fun finish(clock: RecordedClock) {
        val format =
            format ?: throw RecordingException("$folder: nothing was recorded; a recording has an image at least")
        WholeFiles(
            listOf(
                INDEX to { out ->
                    val text = out.writer()
                    JsonWriter(text).apply { setIndent(" ") }.also { writeIndex(it, format, clock) }.flush()
                },
            ),
        ).write(folder)
    }

    private fun formatOf(image: YuvImage): FrameFormat {
        val (y, u, v) = listOf(image.y, image.u, image.v).map { it.bytes.remaining() }
        fun layout(plane: Plane, offset: Int) =
            PlaneLayout(offset, plane.bytes.remaining(), plane.rowStride, plane.pixelStride)
        return FrameFormat(
            width = image.width,
            height = image.height,
            standard = image.standard,
            range = image.range,
            frameBytes = y + u + v,
            y = layout(image.y, 0),
            u = layout(image.u, y),
            v = layout(image.v, y + u),
        )
    }

    private fun writePlanes(file: File, image: YuvImage) {
        Files.createDirectories(file.parentFile.toPath())
        FileChannel.open(file.toPath(), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE).use { channel ->
            naming(file) { for (plane in listOf(image.y, image.u, image.v)) writeAll(channel, plane.bytes.duplicate()) }
        }
    }

    private fun writeAll(channel: FileChannel, bytes: ByteBuffer) {
        while (bytes.hasRemaining()) channel.write(bytes)
    }

    private fun writeIndex(json: JsonWriter, format: FrameFormat, clock: RecordedClock) = with(json) {
        beginObject()
        name("format_version").value("1.0")
        name("made_utc").value(info.madeUtc)
        name("device").value(info.device)
        name("width").value(format.width)
        name("height").value(format.height)
        name("standard").value(format.standard.name.lowercase())
        name("range").value(format.range.name.lowercase())
        name("sensor_orientation_deg").value(info.sensorOrientation)
        name("sensor_clock")
        writeClock(this, clock)
        name("frame_bytes").value(format.frameBytes)
        name("planes").beginObject()
        writePlane(this, "y", format.y)
        writePlane(this, "u", format.u)
        writePlane(this, "v", format.v)
        endObject()
        name("frames").beginArray()
        frames.sortedBy { it.exposure.timestampNs }.forEach { writeFrame(this, it) }
        endArray()
        endObject()
    }

    private fun writeClock(json: JsonWriter, clock: RecordedClock) = with(json) {
        beginObject()
        when (clock) {
            RecordedClock.Monotonic -> name("domain").value("monotonic")

            RecordedClock.Undecided -> name("domain").value("undecided")

            is RecordedClock.Boottime -> {
                name("domain").value("boottime")
                name("offset_low_ns").value(clock.offset.lowNs)
                name("offset_high_ns").value(clock.offset.highNs)
            }
        }
        endObject()
    }

    private fun writePlane(json: JsonWriter, name: String, plane: PlaneLayout) = with(json) {
        name(name).beginObject()
        name("offset").value(plane.offset)
        name("size_bytes").value(plane.sizeBytes)
        name("row_stride").value(plane.rowStride)
        name("pixel_stride").value(plane.pixelStride)
        endObject()
    }

    private fun writeFrame(json: JsonWriter, frame: RecordedFrame) = with(json) {
        beginObject()
        name("timestamp_ns").value(frame.exposure.timestampNs)
        name("exposure_ns").value(frame.exposure.exposureNs)
        name("skew_ns").value(frame.exposure.rollingShutterSkewNs)
        name("frame_duration_ns").value(frame.exposure.frameDurationNs)
        name("capture_result_ns").value(frame.captureResult?.ns)
        name("image_available_ns").value(frame.imageAvailable?.ns)
        name("file").value(frame.file)
        endObject()
    }

    private companion object {
        const val DIGITS = 6
    }
}
