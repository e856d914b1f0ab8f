package org.litebundle.core.bundle

import java.io.ByteArrayOutputStream
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import java.util.zip.CRC32

val bundleVectors = File(System.getProperty("litebundle.root"), "tests/vectors/bundle")

/** [files] as a bundle, with `MANIFEST.sha256` made from the manifest; written from docs/bundle.md, "Zip layout". */
fun bundleOf(files: Map<String, ByteArray>): ByteArray {
    val digest = MessageDigest.getInstance("SHA-256").digest(files.getValue("manifest.json"))
    val line = digest.joinToString("") { "%02x".format(it) } + "  manifest.json\n"
    return zipOf(files + ("MANIFEST.sha256" to line.toByteArray()))
}

/** [files] in the zip layout, whatever their names. */
fun zipOf(files: Map<String, ByteArray>): ByteArray {
    val out = ByteArrayOutputStream()
    val directory = ByteArrayOutputStream()
    for ((name, data) in files.toSortedMap()) {
        val offset = out.size()
        val page = if (name.endsWith(".tflite")) 16384 else 4
        val shortest = offset + 30 + name.length + 6
        val extra = 6 + (page - shortest % page) % page
        val crc = CRC32().apply { update(data) }.value.toInt()
        val common = bytes(20) {
            putShort(20).putShort(0x0800).putShort(0).putShort(0).putShort(0x21).putInt(crc).putInt(data.size)
        }.copyOf(18) + bytes(4) { putInt(data.size) } + bytes(2) { putShort(name.length.toShort()) }
        out.write(bytes(4) { putInt(0x04034B50) } + common + bytes(2) { putShort(extra.toShort()) })
        out.write(name.toByteArray())
        val field = bytes(6) { putShort(0xD935.toShort()).putShort((extra - 4).toShort()).putShort(page.toShort()) }
        out.write(field.copyOf(extra))
        out.write(data)
        directory.write(
            bytes(6) {
                putInt(0x02014B50).putShort(20)
            } + common + ByteArray(12) + bytes(4) { putInt(offset) },
        )
        directory.write(name.toByteArray())
    }
    val start = out.size()
    out.write(directory.toByteArray())
    val count = files.size.toShort()
    out.write(
        bytes(22) {
            putInt(0x06054B50).putInt(0).putShort(count).putShort(count).putInt(directory.size()).putInt(start)
        },
    )
    return out.toByteArray()
}

private fun bytes(size: Int, fill: ByteBuffer.() -> Unit): ByteArray =
    ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN).apply(fill).array()

/** Names and contents of the files in [bundle]. */
fun filesOf(bundle: Bundle): Map<String, ByteArray> =
    bundle.names.associateWith { name -> ByteArray(bundle.file(name).remaining()).also { bundle.file(name).get(it) } }
