package org.litebundle.app.run

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.AppTestRunner
import org.litebundle.app.Phone
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.verdict.RunKind
import org.robolectric.annotation.Config
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import java.util.zip.CRC32

@RunWith(AppTestRunner::class)
@Config(sdk = [33])
class BundlesTest {
    private val slots = File(Phone.app.filesDir, "slots")
    private val bundles = Bundles(slots) { Bundle.open(Phone.example) }
    private val ordered =
        RunOrder(RunPlan("r1", RunKind.LIVE, 60, recording = null), bundle = null, writesReport = true)

    /** The example as version 0.1.[patch]: its manifest, the manifest's digest and the checksums of both replaced. */
    private fun version(patch: Int): File {
        var text = Phone.example.readBytes().toString(Charsets.ISO_8859_1)
        val (manifest, digest) = Bundle.open(Phone.example).use { bundle ->
            listOf("manifest.json", "MANIFEST.sha256").map { name ->
                bundle.file(name).let { ByteArray(it.remaining()).also(it::get) }.toString(Charsets.ISO_8859_1)
            }
        }
        val newManifest = manifest.replace("0.1.0", "0.1.$patch")
        val newDigest = sha256(newManifest) + digest.drop(64)
        for ((old, new) in listOf(manifest to newManifest, digest to newDigest)) {
            check(old in text && old != new && old.length == new.length)
            text = text.replace(old, new).replace(crc(old), crc(new))
        }
        return File(Phone.app.cacheDir, "$patch.litebundle").apply { writeBytes(text.toByteArray(Charsets.ISO_8859_1)) }
    }

    private fun sha256(text: String) =
        MessageDigest.getInstance("SHA-256").digest(text.toByteArray(Charsets.ISO_8859_1))
            .joinToString("") { "%02x".format(it) }

    private fun crc(text: String): String {
        val crc = CRC32().apply { update(text.toByteArray(Charsets.ISO_8859_1)) }
        val bytes = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(crc.value.toInt()).array()
        return bytes.toString(Charsets.ISO_8859_1)
    }

    private fun version(tested: TestedBundle) = tested.open().use { it.manifest.identity.version }

    private fun install(patch: Int) = bundles.of(ordered.copy(bundle = version(patch)))

    private fun damage(slot: String) = File(slots, "$slot.litebundle").writeBytes(ByteArray(100))

    @Test
    fun `the launcher opens what was installed last, an order without a bundle the built-in`() {
        assertEquals("0.1.0", version(bundles.of(Order.BuiltIn)))
        install(1)
        assertEquals("0.1.1", version(bundles.of(Order.BuiltIn)))
        assertNull(bundles.of(Order.BuiltIn).replaced)
        assertEquals("0.1.0", version(bundles.of(ordered)))
    }

    @Test
    fun `a bundle that does not open any more gives way to the one before, and that is told`() {
        install(1)
        install(2)
        damage("b")
        val found = bundles.of(Order.BuiltIn)
        assertEquals("0.1.1", version(found))
        assertTrue("${found.replaced}", "b.litebundle" in found.replaced.orEmpty())
        assertNull("it is in use now", bundles.of(Order.BuiltIn).replaced)
    }

    @Test
    fun `where no slot is whole, the built-in takes their place`() {
        install(1)
        damage("a")
        val found = bundles.of(Order.BuiltIn)
        assertEquals("0.1.0", version(found))
        assertTrue("${found.replaced}", "a.litebundle" in found.replaced.orEmpty())
    }

    @Test
    fun `a bundle whose golden vectors do not hold any more gives way, too`() {
        install(1)
        install(2)
        val slot = File(slots, "b.litebundle")
        val text = slot.readBytes().toString(Charsets.ISO_8859_1)
        val vector = Bundle.open(slot).use { bundle ->
            val golden = bundle.manifest.golden.stages.first().vectors.first()
            bundle.file(golden.outputs.values.first()).let { ByteArray(it.remaining()).also(it::get) }
        }.toString(Charsets.ISO_8859_1)
        val flipped = vector.map { (it.code xor 0x55).toChar() }.joinToString("")
        check(text.split(vector).size == 2)
        slot.writeBytes(
            text.replace(vector, flipped).replace(crc(vector), crc(flipped)).toByteArray(Charsets.ISO_8859_1),
        )
        val found = bundles.of(Order.BuiltIn)
        assertEquals("0.1.1", version(found))
        assertTrue("${found.replaced}", found.replaced != null)
    }

    @Test
    fun `an order's bundle that is refused leaves the one in use`() {
        install(1)
        val damaged = File(Phone.app.cacheDir, "damaged.litebundle").apply { writeBytes(ByteArray(100)) }
        assertThrows(BundleException::class.java) { bundles.of(ordered.copy(bundle = damaged)) }
        assertEquals("0.1.1", version(bundles.of(Order.BuiltIn)))
    }
}
