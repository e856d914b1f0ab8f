package org.litebundle.core.json

import com.google.gson.Strictness
import com.google.gson.stream.JsonReader
import com.google.gson.stream.JsonToken
import com.google.gson.stream.MalformedJsonException
import java.io.EOFException
import java.io.StringReader
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/** Why a text is no JSON, or not the JSON that was expected, in words. */
class JsonException(message: String) : Exception(message)

/**
 * A JSON document (RFC 8259). Beyond the RFC: no object has a key twice, every number is finite in float64, no string
 * has a lone surrogate, and a document is no larger than a reader can hold (docs/bundle.md, "JSON").
 */
sealed interface Json {
    data class Object(val members: Map<String, Json>) : Json

    data class Array(val items: List<Json>) : Json

    data class Text(val value: String) : Json

    /** [text] is as written: `1` is whole, `1.0` and `1e0` are not. */
    data class Number(val text: String) : Json {
        val isWhole get() = text.none { it in ".eE" }
        val value get() = text.toDouble()
    }

    data class Bool(val value: Boolean) : Json

    data object Null : Json

    companion object {
        const val MAX_BYTES = 2 shl 20
        const val MAX_DEPTH = 100
        const val MAX_NUMBER_LENGTH = 64
        private const val LENIENT_ADVICE =
            "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON"

        /** Read [bytes] as UTF-8. Throws [JsonException] if they are no JSON as defined above. */
        fun parse(bytes: ByteBuffer): Json {
            if (bytes.remaining() > MAX_BYTES) throw JsonException("it is larger than $MAX_BYTES bytes")
            return try {
                parse(Charsets.UTF_8.newDecoder().decode(bytes.duplicate()).toString())
            } catch (_: CharacterCodingException) {
                throw JsonException("it is not UTF-8")
            }
        }

        /** Read [text], of any length. Throws [JsonException] if it is no JSON as defined above. */
        fun parse(text: String): Json {
            // The parser would overlook it.
            if (text.startsWith('\uFEFF')) throw JsonException("it begins with a byte order mark")
            val reader = JsonReader(StringReader(text)).apply { strictness = Strictness.STRICT }
            try {
                val value = read(reader, 0)
                if (reader.peek() != JsonToken.END_DOCUMENT) throw JsonException("something follows the document")
                return value
            } catch (error: MalformedJsonException) {
                throw JsonException(words(error))
            } catch (_: EOFException) {
                throw JsonException("it ends too early")
            } catch (error: IllegalStateException) {
                throw JsonException(words(error))
            }
        }

        /** The parser speaks to programmers: of a setting that would overlook the fault, and of a page, on a second line. */
        private fun words(error: Exception) =
            error.message.orEmpty().substringBefore("\nSee http").replace(LENIENT_ADVICE, "it is malformed")

        private fun read(reader: JsonReader, depth: Int): Json = when (reader.peek()) {
            JsonToken.BEGIN_OBJECT -> readObject(reader, deeper(reader, depth))
            JsonToken.BEGIN_ARRAY -> readArray(reader, deeper(reader, depth))
            JsonToken.STRING -> Text(checkText(reader, reader.nextString()))
            JsonToken.NUMBER -> readNumber(reader)
            JsonToken.BOOLEAN -> Bool(reader.nextBoolean())
            JsonToken.NULL -> Null.also { reader.nextNull() }
            else -> throw JsonException("unexpected ${reader.peek()} at ${reader.path}")
        }

        private fun deeper(reader: JsonReader, depth: Int): Int {
            if (depth ==
                MAX_DEPTH
            ) {
                throw JsonException("more than $MAX_DEPTH lists and objects deep, at ${reader.path}")
            }
            return depth + 1
        }

        private fun readObject(reader: JsonReader, depth: Int): Json {
            val members = LinkedHashMap<String, Json>()
            reader.beginObject()
            while (reader.hasNext()) {
                val key = checkText(reader, reader.nextName())
                if (members.containsKey(key)) throw JsonException("key '$key' is there twice, at ${reader.path}")
                members[key] = read(reader, depth)
            }
            reader.endObject()
            return Object(members)
        }

        private fun readArray(reader: JsonReader, depth: Int): Json {
            val items = ArrayList<Json>()
            reader.beginArray()
            while (reader.hasNext()) items.add(read(reader, depth))
            reader.endArray()
            return Array(items)
        }

        private fun readNumber(reader: JsonReader): Json {
            val number = Number(reader.nextString())
            if (number.text.length > MAX_NUMBER_LENGTH) {
                throw JsonException("a number of more than $MAX_NUMBER_LENGTH characters, at ${reader.path}")
            }
            if (!number.value.isFinite()) throw JsonException("number ${number.text} is not finite, at ${reader.path}")
            return number
        }

        private fun checkText(reader: JsonReader, text: String): String {
            var i = 0
            while (i < text.length) {
                val paired = text[i].isHighSurrogate() && i + 1 < text.length && text[i + 1].isLowSurrogate()
                if (text[i].isSurrogate() && !paired) throw JsonException("half a surrogate pair, at ${reader.path}")
                i += if (paired) 2 else 1
            }
            return text
        }
    }
}
