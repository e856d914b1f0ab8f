package org.litebundle.core.recording

import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.value.Image
import java.io.File
import java.nio.ByteBuffer
import java.util.Random
import kotlin.math.abs

/**
 * A recording without a camera: a window of [WIDTH] × [HEIGHT] pixels wanders over one photo after the other, 30 frames a
 * second, with planes and times as phones give them: rows with padding, interleaved chroma (V first), BT.601 in full
 * range, timestamps in a boottime 38 h ahead, and jitter in when images arrive. Nothing in it is left to chance.
 */
object PhotoRecording {
    const val WIDTH = 320
    const val HEIGHT = 240
    private const val PADDING = 16
    private const val ROW_BYTES = WIDTH + PADDING

    private const val START_NS = 5_000_000_000_000
    private const val PERIOD_NS = 33_333_333L
    private const val EXPOSURE_NS = 10_000_000L
    private const val SKEW_NS = 20_000_000L
    private const val READOUT_NS = 4_000_000L
    private const val JITTER_NS = 2_000_000
    private const val CAPTURE_RESULT_LEAD_NS = 1_000_000L
    private const val OFFSET_NS = 38 * 3_600_000_000_000
    private const val OFFSET_HALF_WIDTH_NS = 400L

    /**
     * Throws [RecordingException] if a photo is no RGB or smaller than the window, or [folder] holds files already, and
     * IOException if it cannot be written; nothing of it is then left.
     */
    fun write(photos: List<Image>, frames: Int, folder: File) {
        if (photos.isEmpty() || frames < 1) throw RecordingException("a recording needs a photo and a frame at least")
        for (photo in photos) {
            if (photo.channels != 3 || photo.width < WIDTH || photo.height < HEIGHT) {
                throw RecordingException(
                    "a photo of ${photo.width} x ${photo.height} pixels cannot be recorded: it must be RGB and no " +
                        "smaller than $WIDTH x $HEIGHT",
                )
            }
        }
        val info = RecordingInfo("2026-01-01T00:00:00Z", "made of photos, without a camera", sensorOrientation = 0)
        val writer = RecordingWriter(folder, info)
        var isWhole = false
        try {
            write(photos, frames, writer)
            isWhole = true
        } finally {
            if (!isWhole) folder.deleteRecursively()
        }
    }

    private fun write(photos: List<Image>, frames: Int, writer: RecordingWriter) {
        val planes = Nv21()
        val random = Random(1)
        for (frame in 0 until frames) {
            val photo = photos[frame * photos.size / frames]
            planes.fill(photo, wander(3 * frame, photo.width - WIDTH), wander(2 * frame, photo.height - HEIGHT))
            val exposedNs = START_NS + frame * PERIOD_NS
            val exposure = Exposure(exposedNs + OFFSET_NS, EXPOSURE_NS, SKEW_NS, PERIOD_NS)
            val available = MonotonicNs(exposedNs + EXPOSURE_NS + SKEW_NS + READOUT_NS + random.nextInt(JITTER_NS))
            writer.add(exposure, available + -CAPTURE_RESULT_LEAD_NS, available, planes.image)
        }
        val offset = ClockOffset(OFFSET_NS - OFFSET_HALF_WIDTH_NS, OFFSET_NS + OFFSET_HALF_WIDTH_NS)
        writer.finish(RecordedClock.Boottime(offset))
    }

    /** From 0 up to [end] and back, again and again. */
    private fun wander(step: Int, end: Int) = if (end == 0) 0 else end - abs(end - step % (2 * end))

    private class Nv21 {
        private val luma = ByteArray(ROW_BYTES * HEIGHT)
        private val chroma = ByteArray(ROW_BYTES * HEIGHT / 2)
        val image = YuvImage(
            WIDTH,
            HEIGHT,
            y = Plane(ByteBuffer.wrap(luma), ROW_BYTES, 1),
            u = Plane(ByteBuffer.wrap(chroma, 1, chroma.size - 1).slice(), ROW_BYTES, 2),
            v = Plane(ByteBuffer.wrap(chroma, 0, chroma.size - 1).slice(), ROW_BYTES, 2),
            standard = ColorStandard.BT601,
            range = ColorRange.FULL,
        )

        /** The window of [photo] whose upper left corner is at ([left], [top]). */
        fun fill(photo: Image, left: Int, top: Int) {
            for (row in 0 until HEIGHT) {
                for (column in 0 until WIDTH) {
                    val at = 3 * ((top + row) * photo.width + left + column)
                    val (red, green, blue) = IntArray(3) { photo.pixels[at + it].toInt() and 0xFF }
                    luma[row * ROW_BYTES + column] = (0.299 * red + 0.587 * green + 0.114 * blue).rounded()
                    if (row % 2 == 0 && column % 2 == 0) {
                        val pair = row / 2 * ROW_BYTES + column
                        chroma[pair] = (0.5 * red - 0.418688 * green - 0.081312 * blue + 128).rounded()
                        chroma[pair + 1] = (-0.168736 * red - 0.331264 * green + 0.5 * blue + 128).rounded()
                    }
                }
            }
        }

        private fun Double.rounded() = Math.round(this).coerceIn(0, 255).toByte()
    }
}
