package org.litebundle.core.png

import org.litebundle.core.value.Image
import java.nio.Buffer
import java.nio.ByteBuffer
import java.util.zip.CRC32
import java.util.zip.DataFormatException
import java.util.zip.Inflater
import kotlin.math.abs

/** Why a picture cannot be read, in words. */
class PngException(message: String) : Exception(message)

/**
 * Reads the PNGs (W3C PNG, third edition) that bundles hold as golden photos: 8-bit RGB, not interlaced, without what
 * would make its pixels a matter of opinion (gamma, chromaticities, profile, transparency).
 */
object Png {
    /** More would not fit the memory of a phone. */
    const val MAX_PIXELS = 1 shl 25
    private const val MAX_SIDE = 16384
    private const val SIGNATURE = -0x76AFB1B8F2F5E5F6L
    private const val RGB = 2

    /** Deflate cannot make more than this of a byte. */
    private const val MAX_RATIO = 1032L
    private val ambiguous = setOf("gAMA", "cHRM", "iCCP", "tRNS")

    /** uint8 [height, width, 3] from position to limit of [bytes]. Throws [PngException]. */
    fun decode(bytes: ByteBuffer): Image {
        val png = bytes.slice()
        if (png.remaining() < Long.SIZE_BYTES || png.getLong() != SIGNATURE) throw PngException("it is no PNG")
        val header = nextChunk(png)
        if (header.type != "IHDR" || header.data.remaining() != 13) throw PngException("it does not begin with IHDR")
        val width = header.data.getInt()
        val height = header.data.getInt()
        checkHeader(header.data, width, height)
        val data = readData(png)
        val image = Image()
        if (height * (1L + 3 * width) > MAX_RATIO * data.sumOf { it.remaining().toLong() }) {
            throw PngException("its data is too short for $width x $height pixels")
        }
        image.reshape(width, height, 3)
        val inflated = Inflated(data)
        try {
            unfilter(inflated, image)
            inflated.checkEnd()
        } catch (error: DataFormatException) {
            throw PngException("its data is damaged: ${error.message}")
        } finally {
            inflated.close()
        }
        return image
    }

    private fun checkHeader(rest: ByteBuffer, width: Int, height: Int) {
        if (width !in 1..MAX_SIDE || height !in 1..MAX_SIDE || width * height > MAX_PIXELS) {
            throw PngException(
                "it is $width x $height pixels; 1 to $MAX_SIDE a side and $MAX_PIXELS in all are allowed",
            )
        }
        if (rest.get().toInt() != 8 || rest.get().toInt() != RGB) throw PngException("it is not 8-bit RGB")
        if (rest.get().toInt() != 0 || rest.get().toInt() != 0) throw PngException("its method is not known")
        if (rest.get().toInt() != 0) throw PngException("it is interlaced; save it without")
    }

    /** The IDAT chunks, all other chunks checked up to the end. */
    private fun readData(png: ByteBuffer): List<ByteBuffer> {
        val data = ArrayList<ByteBuffer>()
        var last = "IHDR"
        while (true) {
            val chunk = nextChunk(png)
            when {
                chunk.type == "IEND" -> break

                chunk.type == "IDAT" && data.isNotEmpty() && last != "IDAT" -> throw PngException(
                    "its data is in two places",
                )

                chunk.type == "IDAT" -> data.add(chunk.data)

                chunk.type in ambiguous -> throw PngException("it has ${chunk.type}; save it as plain 8-bit RGB")

                chunk.type[0] in 'A'..'Z' && chunk.type != "PLTE" -> throw PngException(
                    "it has an unknown ${chunk.type}",
                )
            }
            last = chunk.type
        }
        if (png.hasRemaining()) throw PngException("something follows its end")
        return data
    }

    private class Chunk(val type: String, val data: ByteBuffer)

    private fun nextChunk(png: ByteBuffer): Chunk {
        if (png.remaining() < 12) throw PngException("it ends too early")
        val sizeBytes = png.getInt()
        if (sizeBytes < 0 || sizeBytes > png.remaining() - 8) throw PngException("it ends too early")
        val covered = take(png, 4 + sizeBytes)
        val crc = CRC32().apply { update(covered.duplicate()) }
        if (crc.value.toInt() != png.getInt()) throw PngException("a chunk does not have its CRC")
        val type = Charsets.ISO_8859_1.decode(take(covered, 4)).toString()
        return Chunk(type, covered.slice())
    }

    private fun take(from: ByteBuffer, sizeBytes: Int): ByteBuffer {
        val part = from.slice()
        limit(part, sizeBytes)
        skip(from, sizeBytes)
        return part
    }

    // API 26 has position and limit on Buffer only.
    private fun limit(buffer: Buffer, at: Int) = buffer.limit(at)

    private fun skip(buffer: Buffer, count: Int) = buffer.position(buffer.position() + count)

    /** Reverses the filters, section 9.2: each byte was written as its difference from a guess. */
    private fun unfilter(inflated: Inflated, image: Image) {
        val stride = 3 * image.width
        val filter = ByteArray(1)
        for (row in 0 until image.height) {
            inflated.read(filter, 0, 1)
            val start = row * stride
            inflated.read(image.pixels, start, stride)
            if (filter[0] !in 0..4) throw PngException("it has an unknown filter ${filter[0]}")
            for (i in start until start + stride) {
                val left = if (i - start >= 3) pixel(image, i - 3) else 0
                val up = if (row > 0) pixel(image, i - stride) else 0
                val guess = when (filter[0].toInt()) {
                    0 -> 0
                    1 -> left
                    2 -> up
                    3 -> (left + up) / 2
                    else -> paeth(left, up, if (row > 0 && i - start >= 3) pixel(image, i - stride - 3) else 0)
                }
                image.pixels[i] = (image.pixels[i] + guess).toByte()
            }
        }
    }

    private fun pixel(image: Image, i: Int) = image.pixels[i].toInt() and 0xFF

    private fun paeth(left: Int, up: Int, upLeft: Int): Int {
        val estimate = left + up - upLeft
        val toLeft = abs(estimate - left)
        val toUp = abs(estimate - up)
        val toUpLeft = abs(estimate - upLeft)
        return if (toLeft <= toUp && toLeft <= toUpLeft) {
            left
        } else if (toUp <= toUpLeft) {
            up
        } else {
            upLeft
        }
    }
}

/** The zlib stream that lies in [parts]. */
private class Inflated(private val parts: List<ByteBuffer>) {
    private val inflater = Inflater()
    private val piece = ByteArray(1 shl 13)
    private var part = 0

    /** Fill [into], [count] bytes from [at]. Throws [PngException] if the stream ends before. */
    fun read(into: ByteArray, at: Int, count: Int) {
        var done = 0
        while (done < count) {
            val found = inflater.inflate(into, at + done, count - done)
            if (found == 0 && !feed()) throw PngException("its data is too short")
            done += found
        }
    }

    /** Throws [PngException] unless the stream ends here, with the checksum that it gives. */
    fun checkEnd() {
        val more = ByteArray(1)
        while (!inflater.finished()) {
            if (inflater.inflate(more) > 0) throw PngException("its data is too long")
            if (!inflater.finished() && !feed()) throw PngException("its data has no end")
        }
        if (inflater.remaining > 0 || feed()) throw PngException("something follows its data")
    }

    fun close() = inflater.end()

    private fun feed(): Boolean {
        if (!inflater.needsInput() && !inflater.finished()) return false
        while (part < parts.size && !parts[part].hasRemaining()) part++
        if (part == parts.size) return false
        val count = minOf(piece.size, parts[part].remaining())
        parts[part].get(piece, 0, count)
        inflater.setInput(piece, 0, count)
        return true
    }
}
