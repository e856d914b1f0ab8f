package org.litebundle.core.frame

import io.kotest.property.Arb
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.litebundle.core.glue.GlueException
import org.litebundle.core.glue.Vector
import org.litebundle.core.glue.VectorFiles
import org.litebundle.core.glue.assertEqual
import org.litebundle.core.glue.vectorValueOf
import org.litebundle.core.value.Image
import java.nio.ByteBuffer
import kotlin.random.Random

class YuvToRgbTest {
    private val image = Image()

    @TestFactory
    fun `a camera frame becomes the photo of its vector`(): List<DynamicTest> {
        // One converter for all: it must not keep anything of the frame before.
        val converter = YuvToRgb()
        return VectorFiles.read("yuv_to_rgb").map { vector ->
            dynamicTest("$vector") {
                val frame = frame(vector)
                val expected = vector.outputs
                if (expected == null) {
                    assertThrows(GlueException::class.java) { converter.convert(frame, image) }
                } else {
                    converter.convert(frame, image, vector.whole("orientation"))
                    assertEqual(expected.getValue("image"), vectorValueOf(image), 0.0, "$vector")
                }
            }
        }
    }

    @Test
    fun `strides change nothing but where samples lie`() = runBlocking<Unit> {
        checkAll(Arb.int(1..9), Arb.int(1..9), Arb.int(1..4), Arb.int(0..7), Arb.long()) {
                width,
                height,
                step,
                gap,
                seed,
            ->
            val plain = photo(frame(width, height, seed, step = 1, gap = 0))
            assertArrayEquals(plain, photo(frame(width, height, seed, step, gap)))
        }
    }

    @Test
    fun `four quarter turns are none`() = runBlocking<Unit> {
        checkAll(Arb.int(1..9), Arb.int(1..9), Arb.element(90, 180, 270), Arb.long()) { width, height, angle, seed ->
            val frame = frame(width, height, seed, step = 2, gap = 1)
            val upright = photo(frame)
            YuvToRgb().convert(frame, image, angle)
            val turned = image.pixels.copyOf(image.size)
            for (row in 0 until height) {
                for (column in 0 until width) {
                    val at = when (angle) {
                        90 -> column * height + height - 1 - row
                        180 -> (height - 1 - row) * width + width - 1 - column
                        else -> (width - 1 - column) * height + row
                    }
                    for (c in 0..2) assertEquals(upright[3 * (row * width + column) + c], turned[3 * at + c])
                }
            }
        }
    }

    @Test
    fun `the buffers of the caller keep position and limit, and may be direct and read-only`() {
        val heap = frame(6, 4, seed = 1, step = 2, gap = 3)
        val direct = ByteBuffer.allocateDirect(heap.y.bytes.capacity()).put(heap.y.bytes.duplicate())
        direct.position(3)
        val frame =
            YuvImage(
                6,
                4,
                Plane(direct.asReadOnlyBuffer(), heap.y.rowStride, 2),
                heap.u,
                heap.v,
                heap.standard,
                heap.range,
            )
        assertArrayEquals(photo(heap), photo(frame))
        assertEquals(3, frame.y.bytes.position())
        assertEquals(direct.capacity(), frame.y.bytes.limit())
    }

    @Test
    fun `gray has no colour, and black and white are those of the range`() {
        for (standard in ColorStandard.entries) {
            for ((range, black, white) in listOf(
                Triple(ColorRange.FULL, 0, 255),
                Triple(ColorRange.LIMITED, 16, 235),
            )) {
                for ((level, expected) in listOf(black to 0, white to 255)) {
                    val frame = YuvImage(1, 1, plane(level), plane(128), plane(128), standard, range)
                    assertArrayEquals(ByteArray(3) { expected.toByte() }, photo(frame))
                }
            }
        }
    }

    @Test
    fun `what is no frame is refused`() {
        val frame = frame(4, 4, seed = 1, step = 1, gap = 0)
        fun refused(width: Int, orientation: Int, y: Plane) {
            val wrong = YuvImage(width, 4, y, frame.u, frame.v, frame.standard, frame.range)
            assertThrows(GlueException::class.java) { YuvToRgb().convert(wrong, image, orientation) }
        }
        refused(4, 45, frame.y)
        refused(0, 0, frame.y)
        refused(4, 0, Plane(frame.y.bytes, 4, 0))
        refused(4, 0, Plane(frame.y.bytes, 3, 1))
        refused(4, 0, Plane(frame.y.bytes.duplicate().apply { limit(15) }, 4, 1))
    }

    private fun photo(frame: YuvImage): ByteArray {
        YuvToRgb().convert(frame, image)
        return image.pixels.copyOf(image.size)
    }

    private fun plane(level: Int) = Plane(ByteBuffer.wrap(byteArrayOf(level.toByte())), 1, 1)
}

/** A frame of noise; samples stand [step] bytes apart, rows are [gap] bytes longer, and a plane ends with its last sample. */
fun frame(width: Int, height: Int, seed: Long, step: Int, gap: Int): YuvImage {
    fun plane(columns: Int, rows: Int, seed: Long): Plane {
        val random = Random(seed)
        val stride = columns * step + gap
        val bytes = ByteArray((rows - 1) * stride + (columns - 1) * step + 1)
        for (row in 0 until rows) {
            for (column in 0 until columns) bytes[row * stride + column * step] = random.nextInt().toByte()
        }
        return Plane(ByteBuffer.wrap(bytes), stride, step)
    }
    val columns = (width + 1) / 2
    val rows = (height + 1) / 2
    return YuvImage(
        width,
        height,
        plane(width, height, seed),
        plane(columns, rows, seed + 1),
        plane(columns, rows, seed + 2),
        ColorStandard.BT601,
        ColorRange.FULL,
    )
}

private fun frame(vector: Vector): YuvImage {
    fun plane(name: String): Plane {
        val entries = vector.input(name).entries
        val bytes = ByteBuffer.wrap(ByteArray(entries.size) { entries[it].toInt().toByte() })
        return Plane(bytes, vector.whole("${name}_row_stride"), vector.whole("${name}_pixel_stride"))
    }
    return YuvImage(
        vector.whole("width"),
        vector.whole("height"),
        plane("y"),
        plane("u"),
        plane("v"),
        ColorStandard.valueOf(vector.text("standard").uppercase()),
        ColorRange.valueOf(vector.text("range").uppercase()),
    )
}
