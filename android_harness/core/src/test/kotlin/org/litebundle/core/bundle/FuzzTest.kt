package org.litebundle.core.bundle

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import kotlin.random.Random

/** Whatever is done to a bundle: it is refused with a [BundleException], or it is the same bundle. */
class FuzzTest {
    private val original = File(bundleVectors, "small.litebundle").readBytes()
    private val files = Bundle.open(ByteBuffer.wrap(original)).use(::filesOf)

    /** Bytes in or near a structure; the rest is padding. */
    private val telling = original.indices.filter { at ->
        (maxOf(0, at - 16)..minOf(original.size - 1, at + 16)).any { original[it] != 0.toByte() }
    }

    @Test
    fun `each flipped byte is refused`() {
        val bytes = original.copyOf()
        for (at in bytes.indices) {
            // Another bit for each byte, so that all are tried, in every kind of structure.
            bytes[at] = (original[at].toInt() xor (1 shl at % 8)).toByte()
            assertFalse(opens(bytes), "byte $at")
            bytes[at] = original[at]
        }
        assertTrue(opens(bytes))
    }

    @Test
    fun `20000 mutated bundles are refused or equal`() {
        val random = Random(20_000)
        var refused = 0
        repeat(MUTANTS) { i ->
            var mutant = original
            repeat(random.nextInt(1, 4)) { mutant = mutate(mutant, random) }
            val opened = opens(mutant)
            assertEquals(mutant.contentEquals(original), opened, "mutant $i")
            if (!opened) refused++
        }
        assertTrue(refused > MUTANTS * 9 / 10, "only $refused of $MUTANTS differ from the original")
    }

    @Test
    fun `bundles whose checksums were made right again give what is in them, or are refused`() {
        val random = Random(1)
        var opened = 0
        repeat(2000) {
            val mutant = LinkedHashMap(files - "MANIFEST.sha256")
            val name = mutant.keys.random(random)
            mutant[name] = damaged(mutant.getValue(name), random)
            if (random.nextBoolean()) describeAnew(mutant)
            val bundle = try {
                Bundle.open(ByteBuffer.wrap(bundleOf(mutant)))
            } catch (_: BundleException) {
                return@repeat
            }
            opened++
            val found = filesOf(bundle)
            assertEquals(mutant.keys + "MANIFEST.sha256", found.keys)
            for ((file, content) in mutant) assertArrayEquals(content, found[file], file)
            assertEquals(sha256Of(mutant.getValue("manifest.json")), bundle.digest)
        }
        assertTrue(opened > 100, "only $opened were opened")
    }

    @Test
    fun `headers that agree with each other on a lie are refused`() {
        val random = Random(2)
        val fields = listOf(4, 6, 8, 10, 12, 14, 18, 22, 26)
        for (local in headers(0x04034B50)) {
            for (field in fields) {
                repeat(20) {
                    val mutant = original.copyOf()
                    val value = if (it < interesting.size) interesting[it] else random.nextInt()
                    for (at in listOf(local + field, centralOf(local) + field + 2)) {
                        val buffer = ByteBuffer.wrap(mutant).order(ByteOrder.LITTLE_ENDIAN)
                        if (field < 14 ||
                            field == 26
                        ) {
                            buffer.putShort(at, value.toShort())
                        } else {
                            buffer.putInt(at, value)
                        }
                    }
                    assertEquals(mutant.contentEquals(original), opens(mutant), "field $field = $value at $local")
                }
            }
        }
    }

    private fun opens(bytes: ByteArray): Boolean = try {
        Bundle.open(ByteBuffer.wrap(bytes)).close()
        true
    } catch (_: BundleException) {
        false
    }

    private fun mutate(bytes: ByteArray, random: Random): ByteArray {
        if (bytes.size < 64) return bytes
        val at = if (random.nextInt(4) >
            0
        ) {
            minOf(telling.random(random), bytes.size - 4)
        } else {
            random.nextInt(bytes.size - 3)
        }
        val size = minOf(listOf(1, 4, 46, 500, 20_000).random(random), bytes.size - at)
        val to = random.nextInt(bytes.size - size + 1)
        val piece = bytes.copyOfRange(at, at + size)
        return when (random.nextInt(8)) {
            0 -> bytes.copyOf(at) + bytes.copyOfRange(at + size, bytes.size)

            1 -> bytes.copyOf(to) + piece + bytes.copyOfRange(to, bytes.size)

            2 -> bytes.copyOf().also { piece.copyInto(it, to) }

            3 -> bytes.copyOf().also { copy ->
                bytes.copyInto(copy, at, to, to + size)
                piece.copyInto(copy, to)
            }

            4 -> bytes.copyOf(at)

            5 -> bytes + random.nextBytes(random.nextInt(1, 30))

            6 -> bytes.copyOf().also { it[at] = random.nextInt().toByte() }

            else -> bytes.copyOf().also {
                ByteBuffer.wrap(it).order(ByteOrder.LITTLE_ENDIAN).putInt(at, interesting.random(random))
            }
        }
    }

    private fun damaged(content: ByteArray, random: Random): ByteArray = content.copyOf().also {
        repeat(random.nextInt(1, 3)) { _ ->
            it[random.nextInt(it.size)] =
                "\u0000 x0\"{}[],:".random(random).code.toByte()
        }
    }

    /** Give the manifest in [files] the digests and sizes of the other files. */
    private fun describeAnew(files: MutableMap<String, ByteArray>) {
        var manifest = files.getValue("manifest.json").toString(Charsets.ISO_8859_1)
        for ((name, content) in this.files - "MANIFEST.sha256" - "manifest.json") {
            manifest = manifest.replace(sha256Of(content), sha256Of(files.getValue(name)))
        }
        files["manifest.json"] = manifest.toByteArray(Charsets.ISO_8859_1)
    }

    private fun headers(signature: Int): List<Int> {
        val buffer = ByteBuffer.wrap(original).order(ByteOrder.LITTLE_ENDIAN)
        return (0..original.size - 4).filter { buffer.getInt(it) == signature }
    }

    private fun centralOf(local: Int): Int = headers(0x02014B50)[headers(0x04034B50).indexOf(local)]

    private fun sha256Of(content: ByteArray): String =
        MessageDigest.getInstance("SHA-256").digest(content).joinToString("") { "%02x".format(it) }

    private companion object {
        const val MUTANTS = 20_000
        val interesting =
            listOf(0, 1, -1, Int.MIN_VALUE, Int.MAX_VALUE, 0xFFFF, 0x8000, 0x04034B50, 0x02014B50, 0x06054B50)
    }
}
