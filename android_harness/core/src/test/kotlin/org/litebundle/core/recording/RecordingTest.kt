package org.litebundle.core.recording

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource
import org.litebundle.core.clock.ClockDomain
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.value.Image
import java.io.File
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import java.nio.file.Files
import kotlin.random.Random

class RecordingTest {
    @TempDir
    lateinit var temporary: File
    private val folder get() = File(temporary, "recording")
    private val index get() = File(folder, "recording.json")
    private val info = RecordingInfo("2026-01-02T03:04:05Z", "a test", 90)

    /** A picture of 5 x 3, each plane with another stride and rows cut off after their last sample. */
    private fun picture(seed: Int): YuvImage {
        fun plane(size: Int, rowStride: Int, pixelStride: Int) =
            Plane(ByteBuffer.wrap(ByteArray(size) { (seed + 7 * it).toByte() }), rowStride, pixelStride)
        val (y, u, v) = Triple(plane(2 * 8 + 5, 8, 1), plane(7 + 5, 7, 2), plane(6 + 3, 6, 1))
        return YuvImage(5, 3, y, u, v, ColorStandard.BT709, ColorRange.LIMITED)
    }

    private fun exposure(frame: Int) = Exposure(1_000_000L + 100 * frame, 10, 20, 100)

    private fun record(frames: Int = 3, clock: RecordedClock = RecordedClock.Monotonic) {
        val writer = RecordingWriter(folder, info)
        repeat(frames) {
            writer.add(
                exposure(it),
                MonotonicNs(1_000_040L + 100 * it),
                MonotonicNs(1_000_050L + 100 * it),
                picture(it),
            )
        }
        writer.addLost(exposure(frames), null)
        writer.finish(clock)
    }

    private fun refusal(): String = assertThrows(RecordingException::class.java) { Recording.open(folder) }.message!!

    private fun content(bytes: ByteBuffer) = ByteArray(bytes.remaining()).also { bytes.duplicate().get(it) }

    @Test
    fun `what was written is read`() {
        val clock = RecordedClock.Boottime(ClockOffset(-40, 60))
        record(clock = clock)
        val read = Recording.open(folder)
        assertEquals(info, read.info)
        assertEquals(clock, read.clock)
        assertEquals(4, read.frames.size)
        assertEquals(RecordedFrame(exposure(3), null, null, null), read.frames[3])
        assertNull(read.image(3))
        for (frame in 0 until 3) {
            assertEquals(exposure(frame), read.frames[frame].exposure)
            assertEquals(MonotonicNs(1_000_040L + 100 * frame), read.frames[frame].captureResult)
            assertEquals(MonotonicNs(1_000_050L + 100 * frame), read.frames[frame].imageAvailable)
            val (wrote, image) = picture(frame) to read.image(frame)!!
            assertEquals(listOf(5, 3), listOf(image.width, image.height))
            assertEquals(ColorStandard.BT709 to ColorRange.LIMITED, image.standard to image.range)
            for ((a, b) in listOf(wrote.y to image.y, wrote.u to image.u, wrote.v to image.v)) {
                assertArrayEquals(content(a.bytes), content(b.bytes))
                assertEquals(a.rowStride to a.pixelStride, b.rowStride to b.pixelStride)
                assertTrue(b.bytes.isDirect && b.bytes.isReadOnly)
            }
        }
    }

    @Test
    fun `frames that were added in any order are read in that of their timestamps`() {
        val writer = RecordingWriter(folder, info)
        writer.add(exposure(2), null, MonotonicNs(1_000_250), picture(2))
        writer.addLost(exposure(1), null)
        writer.add(exposure(0), null, MonotonicNs(1_000_050), picture(0))
        writer.finish(RecordedClock.Monotonic)
        val read = Recording.open(folder)
        assertEquals(List(3, ::exposure), read.frames.map { it.exposure })
        for (frame in listOf(0, 2)) {
            assertArrayEquals(content(picture(frame).y.bytes), content(read.image(frame)!!.y.bytes))
        }
    }

    @Test
    fun `a clock is recorded only if it was known throughout`() {
        val (nothing, asleep) = ClockOffset(-1, 1) to ClockOffset(38, 40)
        val (monotonic, boottime) = ClockDomain.entries.map(SensorClock::Inferred)
        assertEquals(RecordedClock.Monotonic, RecordedClock.of(monotonic, null))
        for (clock in listOf(boottime, SensorClock.Realtime)) {
            assertEquals(RecordedClock.Boottime(asleep), RecordedClock.of(clock, asleep))
            assertEquals(RecordedClock.Undecided, RecordedClock.of(clock, null))
        }
        assertEquals(RecordedClock.Monotonic, RecordedClock.of(SensorClock.Immaterial, nothing))
        assertEquals(
            RecordedClock.Undecided,
            RecordedClock.of(SensorClock.Immaterial, ClockOffset(2_000_000, 2_000_010)),
        )
        assertEquals(RecordedClock.Undecided, RecordedClock.of(SensorClock.Undecided("no frame"), nothing))
    }

    @Test
    fun `NV21 is read from planes that overlap`() {
        record(frames = 1)
        File(folder, "frames/000000.yuv").writeBytes(ByteArray(5 * 3 + 12) { it.toByte() })
        val text = index.readText().replace("\"frame_bytes\": 42", "\"frame_bytes\": 27")
        val planes = """"planes": {"y": {"offset": 0, "size_bytes": 15, "row_stride": 5, "pixel_stride": 1},
            "u": {"offset": 16, "size_bytes": 11, "row_stride": 6, "pixel_stride": 2},
            "v": {"offset": 15, "size_bytes": 11, "row_stride": 6, "pixel_stride": 2}}, "frames""""
        index.writeText(text.replace(Regex("\"planes\".*\"frames\"", RegexOption.DOT_MATCHES_ALL), planes))
        val image = Recording.open(folder).image(0)!!
        assertEquals(listOf<Byte>(0, 16, 15), listOf(image.y, image.u, image.v).map { it.bytes.get(0) })
        assertEquals(listOf<Byte>(24, 23), listOf(image.u, image.v).map { it.bytes.get(it.rowStride + it.pixelStride) })
    }

    @Test
    fun `a recording that was cut off, or is not there, is none`() {
        val writer = RecordingWriter(folder, info)
        writer.add(exposure(0), null, MonotonicNs(2_000_000), picture(0))
        assertTrue("cut off" in refusal())
        assertThrows(FileNotFoundException::class.java) { Recording.open(File(temporary, "nowhere")) }
    }

    @Test
    fun `a link to a recording's folder is that recording`() {
        record()
        val link = File(temporary, "link")
        Files.createSymbolicLink(link.toPath(), folder.toPath())
        assertEquals(4, Recording.open(link).frames.size)
    }

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        quoteCharacter = '`',
        value = [
            "\"format_version\": \"1.0\" | \"format_version\": \"2.0\" | format_version",
            "\"format_version\": \"1.0\" | \"format_version\": \"1\" | format_version",
            "\"width\": 5 | \"width\": 0 | width",
            "\"width\": 5 | \"width\": 9 | plane y",
            "\"height\": 3 | \"height\": 4 | plane y",
            "\"row_stride\": 7 | \"row_stride\": 4 | plane u",
            "\"row_stride\": 7 | \"row_stride\": 8 | plane u",
            "\"pixel_stride\": 2 | \"pixel_stride\": 4 | plane u",
            "\"pixel_stride\": 2 | \"pixel_stride\": 0 | pixel_stride",
            "\"offset\": 33 | \"offset\": 34 | plane v",
            "\"offset\": 33 | \"offset\": 1073741824 | plane v",
            "\"offset\": 33 | \"offset\": -1 | offset",
            "\"frame_bytes\": 42 | \"frame_bytes\": 41 | plane v",
            "\"frame_bytes\": 42 | \"frame_bytes\": 43 | 42 bytes",
            "\"standard\": \"bt709\" | \"standard\": \"bt2020\" | standard",
            "\"range\": \"limited\" | \"range\": \"half\" | range",
            "\"sensor_orientation_deg\": 90 | \"sensor_orientation_deg\": 45 | sensor_orientation_deg",
            "\"domain\": \"monotonic\" | \"domain\": \"wall\" | domain",
            "\"domain\": \"monotonic\" | \"domain\": \"boottime\" | offset_low_ns",
            "\"timestamp_ns\": 1000100 | \"timestamp_ns\": 1000000 | order of their timestamps",
            "\"timestamp_ns\": 1000100 | \"timestamp_ns\": 1e6 | timestamp_ns",
            "\"exposure_ns\": 10 | \"exposure_ns\": -10 | exposure_ns",
            "\"image_available_ns\": 1000150 | \"image_available_ns\": 1000300 | available in their order",
            "\"image_available_ns\": 1000050 | \"image_available_ns\": 999999 | before their exposure",
            "\"image_available_ns\": 1000050 | \"image_available_ns\": null | both are null",
            "\"file\": \"frames/000001.yuv\" | \"file\": \"frames/000009.yuv\" | 'frames/000009.yuv' is missing",
            "\"file\": \"frames/000001.yuv\" | \"file\": \"../x.yuv\" | '../x.yuv' is missing",
            "\"file\": \"frames/000001.yuv\" | \"file\": \"frames/000000.yuv\" | 'frames/000001.yuv' is not listed",
            "\"width\": 5 | \"width\": 16385 | width",
            "\"made_utc\": \"2026-01-02T03:04:05Z\" | \"made_utc\": \"2026-01-02T03:04:05\" | made_utc",
            "\"made_utc\": \"2026-01-02T03:04:05Z\" | \"made_utc\": \"2026-13-02T03:04:05Z\" | made_utc",
            "\"sensor_orientation_deg\": 90 | \"sensor_orientation_deg\": \"90\" | sensor_orientation_deg",
            "\"monotonic\" | \"boottime\", \"offset_low_ns\": 0, \"offset_high_ns\": 9223372036854775807 | offset_high_ns",
            "\"timestamp_ns\": 1000000 | \"timestamp_ns\": -86400000000000 | a day at most",
            "\"capture_result_ns\": 1000240 | \"capture_result_ns\": 86400002000000 | a day at most",
            "\"frames\": [ | \"frames\": {}, \"x\": [ | frames",
        ],
    )
    fun `a lie is refused by name`(truth: String, lie: String, named: String) {
        record()
        val text = index.readText()
        assertTrue(truth in text, text)
        index.writeText(text.replaceFirst(truth, lie))
        assertTrue(named in refusal(), refusal())
    }

    @Test
    fun `a file of another size, or one too many, is refused`() {
        record()
        val file = File(folder, "frames/000001.yuv")
        val bytes = file.readBytes()
        file.writeBytes(bytes.copyOf(bytes.size - 1))
        assertTrue("has 41 bytes" in refusal())
        file.writeBytes(bytes)
        File(folder, "notes.txt").writeText("")
        assertTrue("'notes.txt' is not listed" in refusal())
    }

    @Test
    fun `text that is cut off is refused`() {
        record()
        val text = index.readText()
        for (end in listOf(0, 1, text.length / 2, text.lastIndexOf('}'))) {
            index.writeText(text.substring(0, end))
            assertTrue(INDEX in refusal(), refusal())
        }
    }

    @Test
    fun `whatever happened to the index, it is refused in words or gives all its pictures`() {
        record(clock = RecordedClock.Boottime(ClockOffset(-40, 60)))
        val whole = index.readBytes()
        val random = Random(7)
        repeat(1000) {
            val bytes = whole.copyOf()
            repeat(1 + random.nextInt(3)) {
                bytes[random.nextInt(bytes.size)] = CHARACTERS.random(random).code.toByte()
            }
            try {
                RecordingReader.read(ByteBuffer.wrap(bytes))
                index.writeBytes(bytes)
                val recording = Recording.open(folder)
                recording.frames.indices.forEach { read(recording.image(it)) }
            } catch (_: RecordingException) {
                // In words.
            }
        }
    }

    private fun read(image: YuvImage?) {
        if (image == null) return
        val (columns, rows) = (image.width + 1) / 2 to (image.height + 1) / 2
        for ((plane, size) in listOf(image.y to (image.width to image.height), image.u to (columns to rows))) {
            plane.bytes.get((size.second - 1) * plane.rowStride + (size.first - 1) * plane.pixelStride)
        }
    }

    @Test
    fun `a writer refuses another layout in mid-recording, a folder in use, and a recording of nothing`() {
        val writer = RecordingWriter(folder, info)
        assertThrows(RecordingException::class.java) { writer.finish(RecordedClock.Monotonic) }
        val image = picture(0)
        writer.add(exposure(0), null, MonotonicNs(2_000_000), image)
        val other = with(image) { YuvImage(5, 3, y, u, v, ColorStandard.BT601, range) }
        assertThrows(RecordingException::class.java) { writer.add(exposure(1), null, MonotonicNs(2_000_100), other) }
        assertThrows(RecordingException::class.java) { RecordingWriter(folder, info) }
    }

    @Test
    fun `photos make the same recording twice`() {
        val photo = Image().apply { reshape(330, 250, 3) }
        for (i in 0 until photo.size) photo.pixels[i] = (i * 31 % 251).toByte()
        val made = listOf("one", "two").map { name ->
            File(temporary, name).also { PhotoRecording.write(listOf(photo), 4, it) }
        }
        val files = made.map { folder ->
            folder.walk().filter { it.isFile }.associate { it.relativeTo(folder).path to it.readBytes().asList() }
        }
        assertEquals(files[0], files[1])
        val recording = Recording.open(made[0])
        assertEquals(4, recording.frames.size)
        val luma = recording.image(0)!!.y
        val (red, green, blue) = List(3) { photo.pixels[it].toInt() and 0xFF }
        assertEquals(0.299 * red + 0.587 * green + 0.114 * blue, (luma.bytes.get(0).toInt() and 0xFF).toDouble(), 0.5)
    }

    private companion object {
        const val CHARACTERS = "0123456789-.eE\"{}[],:tfn/ \u0000\u00ff"
    }
}
