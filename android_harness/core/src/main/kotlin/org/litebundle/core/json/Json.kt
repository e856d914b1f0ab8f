package org.litebundle.core.json

import com.google.gson.Strictness
import com.google.gson.stream.JsonReader
import com.google.gson.stream.JsonToken
import com.google.gson.stream.MalformedJsonException
import java.io.EOFException
import java.io.Reader
import java.io.StringReader
import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException

/** Why a text is no JSON, in words. */
class JsonException(message: String) : Exception(message)

/** A JSON document (RFC 8259). Beyond the RFC, no object has a key twice and every number is finite. */
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
        /** Read [bytes] as UTF-8. Throws [JsonException] if they are no JSON as defined above. */
        fun parse(bytes: ByteBuffer): Json = try {
            parse(Charsets.UTF_8.newDecoder().decode(bytes.duplicate()).toString())
        } catch (_: CharacterCodingException) {
            throw JsonException("it is not UTF-8")
        }

        fun parse(text: String): Json = parse(StringReader(text))

        private fun parse(text: Reader): Json {
            val reader = JsonReader(text).apply { strictness = Strictness.STRICT }
            try {
                val value = read(reader)
                if (reader.peek() != JsonToken.END_DOCUMENT) throw JsonException("something follows the document")
                return value
            } catch (error: MalformedJsonException) {
                throw JsonException(error.message.orEmpty())
            } catch (_: EOFException) {
                throw JsonException("it ends too early")
            } catch (error: IllegalStateException) {
                throw JsonException(error.message.orEmpty())
            }
        }

        private fun read(reader: JsonReader): Json = when (reader.peek()) {
            JsonToken.BEGIN_OBJECT -> readObject(reader)
            JsonToken.BEGIN_ARRAY -> readArray(reader)
            JsonToken.STRING -> Text(reader.nextString())
            JsonToken.NUMBER -> readNumber(reader)
            JsonToken.BOOLEAN -> Bool(reader.nextBoolean())
            JsonToken.NULL -> Null.also { reader.nextNull() }
            else -> throw JsonException("unexpected ${reader.peek()} at ${reader.path}")
        }

        private fun readObject(reader: JsonReader): Json {
            val members = LinkedHashMap<String, Json>()
            reader.beginObject()
            while (reader.hasNext()) {
                val key = reader.nextName()
                if (members.containsKey(key)) throw JsonException("key '$key' is there twice, at ${reader.path}")
                members[key] = read(reader)
            }
            reader.endObject()
            return Object(members)
        }

        private fun readArray(reader: JsonReader): Json {
            val items = ArrayList<Json>()
            reader.beginArray()
            while (reader.hasNext()) items.add(read(reader))
            reader.endArray()
            return Array(items)
        }

        private fun readNumber(reader: JsonReader): Json {
            val number = Number(reader.nextString())
            if (!number.value.isFinite()) throw JsonException("number ${number.text} is not finite, at ${reader.path}")
            return number
        }
    }
}
