package org.litebundle.core.bundle

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.litebundle.core.json.Json
import org.litebundle.core.json.Placed
import java.io.File
import java.nio.ByteBuffer

/** The verdicts of the Python reader on changed manifests, digests made right again. */
class ManifestVectorsTest {
    private val vectors = Placed(Json.parse(File(bundleVectors, "manifests.json").readText()))
    private val files = vectors["files"].map { it.text().toByteArray(Charsets.ISO_8859_1) }
    private val manifest = files.getValue("manifest.json")

    @Test
    fun `each changed manifest is refused or accepted as in Python`() {
        val differing = vectors["changes"].list { row ->
            val (name, from, to, text, accepted) = row.list { it }
            val changed = manifest.copyOf(from.index()) + text.text().toByteArray(Charsets.ISO_8859_1) +
                manifest.copyOfRange(to.index(), manifest.size)
            val refusal = refusal(bundleOf(files + ("manifest.json" to changed)))
            if ((refusal == null) == accepted.flag()) null else "${name.text()}: ${refusal ?: "accepted"}"
        }.filterNotNull()
        assertEquals(emptyList<String>(), differing)
    }

    @Test
    fun `the layout written from the specification is the one that Python writes`() {
        val small = File(bundleVectors, "small.litebundle")
        Bundle.open(small).use { assertArrayEquals(small.readBytes(), zipOf(filesOf(it))) }
    }

    private fun Placed.index() = whole(0, manifest.size.toLong()).toInt()

    private fun refusal(bundle: ByteArray): String? = try {
        Bundle.open(ByteBuffer.wrap(bundle)).close()
        null
    } catch (error: BundleException) {
        error.message
    }
}
