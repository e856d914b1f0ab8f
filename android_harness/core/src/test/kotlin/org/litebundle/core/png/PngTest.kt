package org.litebundle.core.png

import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.value.Image
import java.awt.image.BufferedImage
import java.io.ByteArrayOutputStream
import java.nio.ByteBuffer
import java.util.zip.CRC32
import java.util.zip.Deflater
import javax.imageio.ImageIO
import kotlin.random.Random

class PngTest {
    @Test
    fun `what ImageIO writes is read as it was`() = runBlocking<Unit> {
        checkAll(100, Arb.int(1..40), Arb.int(1..40), Arb.long()) { width, height, seed ->
            val pixels = picture(width, height, seed)
            assertPixels(pixels, Png.decode(ByteBuffer.wrap(byImageIo(width, height, pixels))))
        }
    }

    @Test
    fun `each filter is what ImageIO takes it for`() = runBlocking<Unit> {
        checkAll(100, Arb.int(1..9), Arb.int(1..9), Arb.long()) { width, height, seed ->
            val random = Random(seed)
            val filtered = random.nextBytes(height * (1 + 3 * width))
            for (row in 0 until height) filtered[row * (1 + 3 * width)] = random.nextInt(5).toByte()
            val png = png(header(width, height), filtered, pieces = random.nextInt(1, 4))
            val expected = ImageIO.read(png.inputStream())
            val found = Png.decode(ByteBuffer.wrap(png))
            assertEquals(width to height, expected.width to expected.height)
            assertPixels(rgb(expected), found)
        }
    }

    @Test
    fun `a flipped byte is refused`() {
        val png = byImageIo(7, 5, picture(7, 5, 1))
        for (at in png.indices) {
            val mutant = png.copyOf().also { it[at] = (it[at].toInt() xor (1 shl at % 8)).toByte() }
            assertThrows(PngException::class.java, { Png.decode(ByteBuffer.wrap(mutant)) }, "byte $at")
        }
    }

    @Test
    fun `one cut short is refused`() {
        val png = byImageIo(7, 5, picture(7, 5, 1))
        for (size in png.indices) refused(png.copyOf(size))
        refused(png + 0)
    }

    @Test
    fun `other forms are refused in words`() {
        val raw = ByteArray(2 * 7)
        assertTrue("interlaced" in refused(png(header(2, 2, interlace = 1), raw)))
        assertTrue("8-bit RGB" in refused(png(header(2, 2, depth = 16), raw)))
        assertTrue("8-bit RGB" in refused(png(header(2, 2, color = 6), raw)))
        assertTrue("gAMA" in refused(png(header(2, 2), raw, extra = chunk("gAMA", ByteArray(4)))))
        assertTrue("unknown" in refused(png(header(2, 2), raw, extra = chunk("CRIT", ByteArray(4)))))
        assertTrue("filter" in refused(png(header(2, 2), raw.also { it[0] = 5 })))
        assertTrue("too short" in refused(png(header(2, 2), ByteArray(13))))
        assertTrue("too long" in refused(png(header(2, 2), ByteArray(15))))
    }

    @Test
    fun `sizes that lie take no memory`() {
        assertTrue("pixels" in refused(png(header(Int.MAX_VALUE, Int.MAX_VALUE), ByteArray(9))))
        assertTrue("pixels" in refused(png(header(16384, 16384), ByteArray(9))))
        assertTrue("pixels" in refused(png(header(0, 1), ByteArray(9))))
        assertTrue("too short" in refused(png(header(4096, 4096), ByteArray(9))))
    }

    @Test
    fun `unknown ancillary chunks are passed over`() {
        val found = Png.decode(ByteBuffer.wrap(png(header(1, 1), byteArrayOf(0, 1, 2, 3), chunk("tEXt", ByteArray(3)))))
        assertPixels(byteArrayOf(1, 2, 3), found)
    }

    private fun refused(png: ByteArray): String =
        assertThrows(PngException::class.java) { Png.decode(ByteBuffer.wrap(png)) }.message.orEmpty()

    private fun assertPixels(expected: ByteArray, found: Image) {
        assertEquals(3, found.channels)
        assertArrayEquals(expected, found.pixels.copyOf(found.size))
    }

    /** Smooth in one half and noisy in the other, so that encoders choose different filters. */
    private fun picture(width: Int, height: Int, seed: Long): ByteArray {
        val random = Random(seed)
        return ByteArray(3 * width * height) { i -> if (i % 2 == 0) (i / 7).toByte() else random.nextInt().toByte() }
    }

    private fun byImageIo(width: Int, height: Int, pixels: ByteArray): ByteArray {
        val image = BufferedImage(width, height, BufferedImage.TYPE_INT_RGB)
        for (i in 0 until width * height) {
            val (r, g, b) = List(3) { pixels[3 * i + it].toInt() and 0xFF }
            image.setRGB(i % width, i / width, r shl 16 or (g shl 8) or b)
        }
        return ByteArrayOutputStream().also { ImageIO.write(image, "png", it) }.toByteArray()
    }

    private fun rgb(image: BufferedImage) = ByteArray(3 * image.width * image.height) { i ->
        (image.getRGB(i / 3 % image.width, i / 3 / image.width) shr (16 - 8 * (i % 3))).toByte()
    }

    private fun header(width: Int, height: Int, depth: Int = 8, color: Int = 2, interlace: Int = 0): ByteArray =
        ByteBuffer.allocate(13).putInt(width).putInt(height).put(depth.toByte()).put(color.toByte())
            .put(0).put(0).put(interlace.toByte()).array()

    private fun png(
        header: ByteArray,
        filtered: ByteArray,
        extra: ByteArray = ByteArray(0),
        pieces: Int = 1,
    ): ByteArray {
        val buffer = ByteArray(filtered.size + 64)
        val deflater = Deflater().apply {
            setInput(filtered)
            finish()
        }
        val data = buffer.copyOf(deflater.deflate(buffer))
        val parts = data.toList().chunked(data.size / pieces + 1).map { chunk("IDAT", it.toByteArray()) }
        val signature = byteArrayOf(-119, 80, 78, 71, 13, 10, 26, 10)
        return parts.fold(signature + chunk("IHDR", header) + extra, ByteArray::plus) + chunk("IEND", ByteArray(0))
    }

    private fun chunk(type: String, data: ByteArray): ByteArray {
        val covered = type.toByteArray() + data
        val crc = CRC32().apply { update(covered) }
        return ByteBuffer.allocate(12 + data.size).putInt(data.size).put(covered).putInt(crc.value.toInt()).array()
    }
}
