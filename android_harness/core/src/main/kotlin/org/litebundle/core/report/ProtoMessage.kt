package org.litebundle.core.report

import java.io.ByteArrayOutputStream
import java.io.OutputStream

/** A protobuf message in wire format (protobuf.dev, "Encoding"): fields in the order in which they are put. */
internal class ProtoMessage {
    private val bytes = ByteArrayOutputStream()

    /** A field of type int32, int64, uint32, uint64, bool or enum. */
    fun varint(field: Int, value: Long) = apply {
        tag(field, VARINT)
        base128(value)
    }

    fun fixed64(field: Int, value: Long) = apply {
        tag(field, FIXED64)
        repeat(Long.SIZE_BYTES) { bytes.write((value ushr (it * Byte.SIZE_BITS)).toInt()) }
    }

    fun double(field: Int, value: Double) = fixed64(field, value.toRawBits())

    fun text(field: Int, value: String) = delimited(field, value.toByteArray())

    fun message(field: Int, value: ProtoMessage) = delimited(field, value.bytes.toByteArray())

    fun writeTo(out: OutputStream) = bytes.writeTo(out)

    private fun delimited(field: Int, value: ByteArray) = apply {
        tag(field, DELIMITED)
        base128(value.size.toLong())
        bytes.write(value, 0, value.size)
    }

    private fun tag(field: Int, type: Int) = base128((field.toLong() shl TYPE_BITS) or type.toLong())

    private fun base128(value: Long) {
        var rest = value
        while (rest and LOW_7.inv() != 0L) {
            bytes.write(((rest and LOW_7) or CONTINUES).toInt())
            rest = rest ushr BITS
        }
        bytes.write(rest.toInt())
    }

    private companion object {
        const val VARINT = 0
        const val FIXED64 = 1
        const val DELIMITED = 2
        const val TYPE_BITS = 3
        const val BITS = 7
        const val LOW_7 = 0x7FL
        const val CONTINUES = 0x80L
    }
}
