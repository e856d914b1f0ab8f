package org.litebundle.core.bundle

import java.nio.ByteBuffer
import java.security.MessageDigest

/**
 * Whether the files of a bundle are the ones its manifest names (docs/bundle.md, "Integrity" 1 to 5, and 6 but for what
 * needs a runtime). Throws [BundleException].
 */
internal class Integrity(private val container: Container) {
    /** SHA-256 of the manifest. */
    val digest: String

    val manifest: Manifest

    init {
        val bytes = required(MANIFEST)
        digest = sha256(bytes)
        if (required(MANIFEST_DIGEST) != ByteBuffer.wrap("$digest  $MANIFEST\n".toByteArray())) {
            throw BundleException("file '$MANIFEST' does not have the digest that '$MANIFEST_DIGEST' gives")
        }
        manifest = ManifestReader.read(bytes)
        checkFiles()
        if (manifest.stages.distinctBy { it.name }.size != manifest.stages.size) {
            throw BundleException("file '$MANIFEST': two stages have one name")
        }
        manifest.stages.forEach(::checkStage)
    }

    private fun required(name: String): ByteBuffer =
        container[name] ?: throw BundleException("file '$name' is missing; this is no bundle, or not all of it")

    private fun checkFiles() {
        val listed = manifest.files.keys
        val present = container.names - setOf(MANIFEST, MANIFEST_DIGEST, MANIFEST_SIGNATURE)
        (listed - present).minOrNull()?.let {
            throw BundleException("file '$it' is missing, though the manifest lists it")
        }
        (present - listed).minOrNull()?.let { throw BundleException("file '$it' is not in the manifest's list") }
        for ((name, info) in manifest.files) {
            val content = required(name)
            if (content.remaining().toLong() != info.sizeBytes) {
                throw BundleException("file '$name' has ${content.remaining()} bytes, not ${info.sizeBytes}")
            }
            if (sha256(content) != info.sha256) {
                throw BundleException("file '$name' does not have the digest that the manifest gives")
            }
        }
    }

    private fun checkStage(stage: StageSpec) {
        if (manifest.files[stage.file] != FileDigest(stage.sha256, stage.sizeBytes)) {
            throw BundleException(
                "file '${stage.file}' of stage '${stage.name}' is missing or not the one in the list of files",
            )
        }
        val model = required(stage.file)
        if (model.remaining() < 8 || model.getInt(4) != TFL3) {
            throw BundleException("file '${stage.file}' is no TFLite model: it lacks the identifier TFL3")
        }
    }

    private companion object {
        /** "TFL3", read as a little-endian number. */
        const val TFL3 = 0x334C4654
    }
}

internal fun sha256(bytes: ByteBuffer): String {
    val digest = MessageDigest.getInstance("SHA-256").apply { update(bytes.duplicate()) }.digest()
    return digest.joinToString("") { byte ->
        HEXADECIMAL[byte.toInt() shr 4 and 0xF] + HEXADECIMAL[byte.toInt() and 0xF]
    }
}

private val HEXADECIMAL = "0123456789abcdef".map { it.toString() }
