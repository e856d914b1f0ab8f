package org.litebundle.core.bundle

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.litebundle.core.json.Json
import org.litebundle.core.json.Placed
import org.litebundle.core.value.DType
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Quantization
import java.io.File
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import java.nio.ReadOnlyBufferException
import java.nio.file.Files

class BundleTest {
    @TempDir
    lateinit var temporary: File

    private val small = File(bundleVectors, "small.litebundle")
    private val model = "stages/01-colour/model.tflite"

    @Test
    fun `a bundle says what is in it`() = Bundle.open(small).use { bundle ->
        assertEquals("small", bundle.manifest.identity.name)
        assertEquals(listOf("colour"), bundle.manifest.stages.map { it.name })
        assertEquals(
            TensorSpec("image", DType.FLOAT32, listOf(1, 2, 2, 3), "", null),
            bundle.manifest.stages[0].inputs[0],
        )
        assertEquals(Accelerators(listOf(Accelerator.CPU), strict = true), bundle.manifest.stages[0].accelerators)
        assertEquals(Kind.TENSOR, bundle.graph.kinds["colour/scores"])
        assertEquals(setOf("manifest.json", "MANIFEST.sha256", model), bundle.names)
        assertEquals(bundle.file("MANIFEST.sha256").text().take(64), bundle.digest)
    }

    @Test
    fun `every kind of value and list is known`() = Bundle.open(ByteBuffer.wrap(corpus())).use { bundle ->
        assertEquals(setOf("a", "b", "c", "d", "\\e"), bundle.labels("labels/words.json").toSet())
        assertEquals(Kind.IMAGE, bundle.graph.kinds["c/crops"])
        assertEquals(Kind.BOXES, bundle.graph.kinds["c/boxes"])
        assertTrue("c/crops" in bundle.graph.lists && "d/text" in bundle.graph.lists)
        assertTrue("c/boxes" !in bundle.graph.lists && "p/text" !in bundle.graph.lists)
        assertEquals(Quantization(0.003921569f, 0), bundle.manifest.stages[1].inputs[0].quantization)
    }

    @Test
    fun `a model is a read-only page of the mapping`() = Bundle.open(small).use { bundle ->
        val view = bundle.file(model)
        assertTrue(view.isDirect && view.isReadOnly)
        assertEquals(0, view.alignmentOffset(0, 4096))
        assertThrows(ReadOnlyBufferException::class.java) { view.put(0, 1) }
        view.get()
        assertEquals(0, bundle.file(model).position())
        assertEquals("TFL3", bundle.file(model).text().substring(4, 8))
    }

    @Test
    fun `a buffer counts from its position to its limit`() {
        val bytes = small.readBytes()
        val buffer = ByteBuffer.allocateDirect(bytes.size + 10)
        buffer.position(3)
        buffer.put(bytes)
        buffer.position(3)
        buffer.limit(3 + bytes.size)
        Bundle.open(buffer).use { assertArrayEquals(Bundle.open(small).file(model).bytes(), it.file(model).bytes()) }
        assertEquals(3, buffer.position())
    }

    @Test
    fun `a closed bundle gives nothing more`() {
        val bundle = Bundle.open(small)
        bundle.close()
        assertThrows(IllegalStateException::class.java) { bundle.file(model) }
    }

    @Test
    fun `a folder is as good as the zip`() {
        val folder = unpacked()
        File(folder, "empty").mkdir()
        Bundle.open(folder).use { bundle ->
            assertEquals(Bundle.open(small).digest, bundle.digest)
            assertTrue(bundle.file(model).isDirect)
        }
    }

    @Test
    fun `a folder with less, more, or other than the files is refused`() {
        for (name in listOf("manifest.json", "MANIFEST.sha256", model)) {
            val file = File(unpacked(), name)
            val content = file.readBytes()
            file.delete()
            assertTrue(name in refusal(unpackedFolder))
            for (at in content.indices step 37) {
                file.writeBytes(content.copyOf().also { it[at] = (it[at].toInt() xor (1 shl at % 8)).toByte() })
                refusal(unpackedFolder)
            }
            file.writeBytes(ByteArray(0))
            refusal(unpackedFolder)
        }
        assertTrue("'x' is not in" in refusal(unpacked().also { File(it, "x").writeText("") }))
        assertTrue("portable" in refusal(unpacked().also { File(it, "번들").writeText("") }))
        assertTrue("portable" in refusal(unpacked().also { File(it, ".hidden").writeText("") }))
        assertTrue("case alone" in refusal(unpacked().also { File(it, "Manifest.json").writeText("") }))
        val linked = unpacked()
        Files.createSymbolicLink(File(linked, "link").toPath(), File(linked, model).toPath())
        assertTrue("'link' is a link" in refusal(linked))
    }

    @Test
    fun `no file, and files that are no bundle`() {
        assertThrows(FileNotFoundException::class.java) { Bundle.open(File(temporary, "none")) }
        assertTrue("too short" in refusal(File(temporary, "x").apply { writeText("") }))
        assertTrue("cut short" in refusal(File(temporary, "x").apply { writeText("a".repeat(100)) }))
        assertTrue("'manifest.json' is missing" in refusal(zipOf(emptyMap())))
        assertTrue("'MANIFEST.sha256' is missing" in refusal(zipOf(mapOf("manifest.json" to ByteArray(0)))))
        assertTrue("'manifest.json' is missing" in refusal(temporary))
    }

    @Test
    fun `names that leave the bundle or are not portable are refused`() {
        val reasons = mapOf(
            "/etc/x" to "absolute", "C:x" to "absolute", "a/../b" to "'..'", "../b" to "'..'", "a\\b" to "backslash",
            "a\u0000b" to "NUL", "." to "portable", ".x" to "portable", "a//b" to "portable", "a/" to "portable",
            "" to "portable", "a b" to "portable", "a\n" to "portable", "ab:c" to "portable",
            "x".repeat(241) to "longer than 240", "\u00e9" to "portable", "manifest.JSON" to "case alone",
        )
        for ((name, reason) in reasons) {
            val refusal = refusal(zipOf(files() + (name to ByteArray(1))))
            assertTrue(reason in refusal, "'$name': $refusal")
        }
    }

    @Test
    fun `names of 240 characters are allowed`() {
        val name = "x".repeat(240)
        assertTrue("is not in the manifest's list" in refusal(zipOf(files() + (name to ByteArray(1)))))
    }

    @Test
    fun `a signature lies beside the manifest`() {
        val signed = zipOf(files() + ("MANIFEST.sig" to byteArrayOf(1)))
        assertEquals(Bundle.open(small).digest, Bundle.open(ByteBuffer.wrap(signed)).digest)
    }

    @Test
    fun `a refusal names the file and the rule`() {
        val model = File(temporary, "모델.litebundle").apply { writeBytes(bundleOf(files() + (model to ByteArray(8)))) }
        assertTrue("모델.litebundle: file '${this.model}' has 8 bytes" in refusal(model))
    }

    @Test
    fun `label files that are no lists of strings are refused`() {
        for (labels in listOf("{}", "[1]", "[\"a\",]", "[\"\\ud800\"]", "\u0000")) {
            assertTrue("not a JSON list of strings" in refusal(corpus(labels)), labels)
        }
    }

    @Test
    fun `a document that is too large is refused before it is read`() {
        val manifest = files().getValue("manifest.json") + ByteArray(Json.MAX_BYTES) { ' '.code.toByte() }
        assertTrue("larger than" in refusal(bundleOf(files() + ("manifest.json" to manifest))))
    }

    private fun files() = Bundle.open(small).use(::filesOf)

    /** The bundle of manifests.json, with other [labels] if given. */
    private fun corpus(labels: String? = null): ByteArray {
        val document = Placed(Json.parse(File(bundleVectors, "manifests.json").readText()))["files"]
        val files = document.map { it.text().toByteArray(Charsets.ISO_8859_1) }.toMutableMap()
        if (labels != null) {
            val old = files.put("labels/words.json", labels.toByteArray())!!
            val manifest = files.getValue("manifest.json").decodeToString()
            val described = manifest.replace(
                sha256(ByteBuffer.wrap(old)),
                sha256(ByteBuffer.wrap(labels.toByteArray())),
            )
                .replace("\"size_bytes\": ${old.size}", "\"size_bytes\": ${labels.toByteArray().size}")
            files["manifest.json"] = described.toByteArray()
        }
        return bundleOf(files)
    }

    private val unpackedFolder get() = File(temporary, "folder")

    private fun unpacked(): File {
        unpackedFolder.deleteRecursively()
        for ((name, content) in files()) {
            File(unpackedFolder, name).apply { parentFile.mkdirs() }.writeBytes(content)
        }
        return unpackedFolder
    }

    private fun refusal(file: File): String = assertThrows(BundleException::class.java) { Bundle.open(file) }.message!!

    private fun refusal(bundle: ByteArray): String =
        assertThrows(BundleException::class.java) { Bundle.open(ByteBuffer.wrap(bundle)) }.message!!

    private fun ByteBuffer.bytes() = ByteArray(remaining()).also { duplicate().get(it) }

    private fun ByteBuffer.text() = bytes().toString(Charsets.ISO_8859_1)
}
