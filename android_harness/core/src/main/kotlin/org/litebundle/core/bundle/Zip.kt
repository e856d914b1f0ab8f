package org.litebundle.core.bundle

import java.nio.Buffer
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.util.zip.CRC32

/** A stored file of a zip; [offset] is that of its local header. */
internal class Entry(val name: String, val sizeBytes: Long, val crc: Int, val offset: Long) {
    private val alignment = if (name.endsWith(".tflite")) PAGE_BYTES else 4
    val dataOffset: Long
        get() {
            val shortest = offset + LOCAL_BYTES + name.length + FIELD_BYTES
            return (shortest + alignment - 1) / alignment * alignment
        }
    val end get() = dataOffset + sizeBytes

    /** Everything before the data: local header, name and alignment field. */
    fun localHeader(): ByteBuffer {
        val header = littleEndian((dataOffset - offset).toInt())
        val extra = header.capacity() - LOCAL_BYTES - name.length
        header.putInt(0x04034B50)
        putCommon(header)
        header.putShort(extra.toShort()).put(name.toByteArray(Charsets.US_ASCII))
        header.putShort(ALIGNMENT_FIELD.toShort()).putShort((extra - 4).toShort()).putShort(alignment.toShort())
        return header.rewound()
    }

    /** The entry's place in the central directory: header and name. */
    fun centralHeader(): ByteBuffer {
        val header = littleEndian(CENTRAL_BYTES + name.length)
        header.putInt(CENTRAL).putShort(VERSION)
        putCommon(header)
        header.putShort(0).putShort(0).putShort(0).putShort(0).putInt(0).putInt(offset.toInt())
        return header.put(name.toByteArray(Charsets.US_ASCII)).rewound()
    }

    /** The fields that both headers have, in the same order. */
    private fun putCommon(header: ByteBuffer) {
        header.putShort(VERSION).putShort(UTF8_NAME).putShort(0).putShort(0).putShort(DATE_1980_01_01)
        header.putInt(crc).putInt(sizeBytes.toInt()).putInt(sizeBytes.toInt()).putShort(name.length.toShort())
    }
}

/**
 * A zip read strictly (docs/bundle.md, "Reading it"): what the central directory says of names, sizes and CRCs decides
 * every other byte outside the files' data; those bytes are made and compared.
 */
internal class Zip(bytes: ByteBuffer) {
    private val zip: ByteBuffer = bytes.slice().order(ByteOrder.LITTLE_ENDIAN)
    private val sizeBytes = zip.capacity()

    /** Check the whole zip and give its entries in their order. Throws [BundleException]. */
    fun entries(): List<Entry> {
        if (sizeBytes < END_BYTES) throw BundleException("it is too short for a zip")
        val at = sizeBytes - END_BYTES
        if (zip.getInt(at) != END) {
            throw BundleException("it does not end as a zip does: it was cut short, or something was appended")
        }
        val count = unsigned(zip.getShort(at + 10))
        val start = unsigned(zip.getInt(at + 16))
        if (count == 0xFFFF) throw BundleException("it is a zip64, which is not allowed")
        if (start + unsigned(zip.getInt(at + 12)) != at.toLong()) {
            throw BundleException("its sizes do not add up: the central directory is not where its end record says")
        }
        val entries = readDirectory(count, start.toInt(), at)
        Names.checkDistinct(entries.map { it.name })
        for ((one, next) in entries.zipWithNext()) {
            if (one.name > next.name) throw BundleException("its files are not sorted by name")
        }
        entries.forEach(::checkEntry)
        checkDirectory(entries, start.toInt())
        return entries
    }

    /** The bytes [from] until [to]. */
    fun slice(from: Int, to: Int): ByteBuffer = zip.between(from, to)

    private fun readDirectory(count: Int, start: Int, stop: Int): List<Entry> {
        val entries = ArrayList<Entry>()
        var at = start
        var expected = 0L
        repeat(count) { index ->
            val entry = readCentral(at, stop, index + 1)
            at += CENTRAL_BYTES + entry.name.length
            if (entry.offset != expected) {
                val gap = if (entry.offset < expected) "overlaps the file before it" else "leaves a gap before it"
                throw BundleException("file '${entry.name}' $gap: its header is at ${entry.offset}, not $expected")
            }
            if (entry.end > start) {
                throw BundleException(
                    "file '${entry.name}' overlaps the central directory: its sizes do not add up",
                )
            }
            entries.add(entry)
            expected = entry.end
        }
        if (at != stop) throw BundleException("its central directory holds more than its $count entries")
        if (expected != start.toLong()) {
            throw BundleException("its sizes do not add up: there are bytes between the last file and the directory")
        }
        return entries
    }

    private fun readCentral(at: Int, stop: Int, number: Int): Entry {
        if (stop - at < CENTRAL_BYTES) throw BundleException("its central directory ends before entry $number")
        if (zip.getInt(at) != CENTRAL) throw BundleException("its central directory is damaged at entry $number")
        val nameBytes = unsigned(zip.getShort(at + 28))
        if (stop - at - CENTRAL_BYTES < nameBytes) {
            throw BundleException("its central directory ends within the name of entry $number")
        }
        val from = at + CENTRAL_BYTES
        val name = Charsets.ISO_8859_1.decode(zip.between(from, from + nameBytes)).toString()
        Names.check(name)
        if (zip.getShort(at + 8).toInt() and ENCRYPTED != 0) {
            throw BundleException("file '$name' is encrypted; a bundle's files are plain")
        }
        if (zip.getShort(at + 10).toInt() != 0) {
            throw BundleException("file '$name' is compressed; a bundle's files are stored")
        }
        val packed = unsigned(zip.getInt(at + 20))
        val size = unsigned(zip.getInt(at + 24))
        if (packed != size) throw BundleException("file '$name': its two sizes $packed and $size do not add up")
        return Entry(name, size, zip.getInt(at + 16), unsigned(zip.getInt(at + 42)))
    }

    private fun checkEntry(entry: Entry) {
        val header = entry.localHeader()
        if (zip.between(entry.offset.toInt(), entry.dataOffset.toInt()) != header) {
            throw BundleException(
                "file '${entry.name}': its local header or alignment padding is not what the central directory demands",
            )
        }
        val crc = CRC32()
        crc.update(zip.between(entry.dataOffset.toInt(), entry.end.toInt()))
        if (crc.value.toInt() != entry.crc) {
            throw BundleException("file '${entry.name}': its data does not have the CRC-32 that the zip gives for it")
        }
    }

    private fun checkDirectory(entries: List<Entry>, start: Int) {
        var at = start
        for (expected in entries.map { it.centralHeader() } + endRecord(entries.size, start)) {
            if (zip.between(at, at + expected.capacity()) != expected) {
                throw BundleException("its central directory has fields that the layout does not allow")
            }
            at += expected.capacity()
        }
    }

    private fun endRecord(count: Int, start: Int): ByteBuffer {
        val record = littleEndian(END_BYTES).putInt(END).putInt(0).putShort(count.toShort()).putShort(count.toShort())
        return record.putInt(sizeBytes - END_BYTES - start).putInt(start).putShort(0).rewound()
    }
}

private const val PAGE_BYTES = 16384
private const val LOCAL_BYTES = 30
private const val CENTRAL_BYTES = 46
private const val END_BYTES = 22
private const val FIELD_BYTES = 6
private const val CENTRAL = 0x02014B50
private const val END = 0x06054B50
private const val ALIGNMENT_FIELD = 0xD935
private const val ENCRYPTED = 1
private const val VERSION: Short = 20
private const val UTF8_NAME: Short = 0x0800
private const val DATE_1980_01_01: Short = 0x0021

private fun unsigned(value: Short) = value.toInt() and 0xFFFF

private fun unsigned(value: Int) = value.toLong() and 0xFFFFFFFFL

private fun littleEndian(sizeBytes: Int) = ByteBuffer.allocate(sizeBytes).order(ByteOrder.LITTLE_ENDIAN)

// API 26 has position, limit and rewind on Buffer only.
private fun Buffer.select(from: Int, to: Int) {
    limit(to)
    position(from)
}

private fun ByteBuffer.rewound(): ByteBuffer = also { (it as Buffer).select(0, it.capacity()) }

private fun ByteBuffer.between(from: Int, to: Int): ByteBuffer {
    val part = duplicate()
    part.select(from, to)
    return part.slice().order(ByteOrder.LITTLE_ENDIAN)
}
