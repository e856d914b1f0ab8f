package org.litebundle.core.recording

import org.litebundle.core.bundle.BundleException
import org.litebundle.core.bundle.Container
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.file.NoSuchFileException

/** The file that makes a folder a recording: written last. */
const val INDEX = "recording.json"

/** A recorded run (docs/recording.md), checked and mapped. */
class Recording private constructor(
    val info: RecordingInfo,
    val format: FrameFormat,
    val clock: RecordedClock,
    val frames: List<RecordedFrame>,
    private val container: Container,
) {
    /** The picture of frame [index], its planes views of the mapped file; null if its image never came. */
    fun image(index: Int): YuvImage? {
        val bytes = frames[index].file?.let(container::get) ?: return null
        return with(format) {
            YuvImage(width, height, plane(bytes, y), plane(bytes, u), plane(bytes, v), standard, range)
        }
    }

    private fun plane(bytes: ByteBuffer, layout: PlaneLayout): Plane {
        val view = bytes.duplicate()
        (view as Buffer).limit(layout.offset + layout.sizeBytes)
        (view as Buffer).position(layout.offset)
        return Plane(view.slice(), layout.rowStride, layout.pixelStride)
    }

    companion object {
        /**
         * Map and check the recording at [file], a folder or a zip.
         *
         * Throws [RecordingException] naming [file] and the rule that it breaks, or [IOException].
         */
        fun open(file: File): Recording = try {
            val container = Container.open(file)
            val index = container[INDEX] ?: throw RecordingException(
                "there is no $INDEX, which is written last: this is no recording, or one that was cut off",
            )
            RecordingReader.read(index).let { Recording(it.info, it.format, it.clock, it.frames, container) }
                .also { check(it, container) }
        } catch (error: RecordingException) {
            throw RecordingException("$file: ${error.message}")
        } catch (error: BundleException) {
            throw RecordingException("$file: ${error.message}")
        } catch (_: NoSuchFileException) {
            throw FileNotFoundException("$file: no such recording")
        }

        private fun check(recording: Recording, container: Container) {
            val listed = recording.frames.mapNotNull { it.file }.toSet()
            for (name in listed) {
                val sizeBytes = container[name]?.remaining() ?: throw RecordingException("file '$name' is missing")
                if (sizeBytes != recording.format.frameBytes) {
                    throw RecordingException(
                        "file '$name' has $sizeBytes bytes, not the ${recording.format.frameBytes} of a frame",
                    )
                }
            }
            val strange = container.names - listed - INDEX
            if (strange.isNotEmpty()) {
                throw RecordingException("file '${strange.first()}' is not listed in $INDEX: take it away")
            }
        }
    }
}
