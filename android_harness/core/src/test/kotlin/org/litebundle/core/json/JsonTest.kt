package org.litebundle.core.json

import io.kotest.property.Arb
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.nio.ByteBuffer
import kotlin.random.Random

class JsonTest {
    @Test
    fun `what is written is read`() = runBlocking<Unit> {
        checkAll(300, Arb.long()) { seed ->
            val random = Random(seed)
            val document = document(random, 4)
            assertEquals(document, Json.parse(ByteBuffer.wrap(written(document, random).toByteArray())))
        }
    }

    @Test
    fun `whatever is done to a text, it is read or refused`() = runBlocking<Unit> {
        checkAll(3000, Arb.long()) { seed ->
            val random = Random(seed)
            val text = StringBuilder(written(document(random, 4), random))
            repeat(random.nextInt(1, 4)) {
                val at = random.nextInt(text.length)
                when (random.nextInt(3)) {
                    0 -> text.setCharAt(at, "{}[]\",:\\u0e-.\u0000\ud800".random(random))
                    1 -> text.insert(at, text.substring(at, random.nextInt(at, text.length)))
                    else -> if (text.length > 1) text.deleteAt(at)
                }
            }
            try {
                Json.parse(text.toString())
            } catch (error: JsonException) {
                assertTrue(error.message!!.isNotEmpty())
                for (advice in listOf("Strictness", "https:")) assertTrue(advice !in error.message!!, error.message)
            }
        }
    }

    @Test
    fun `a number is whole as it is written`() {
        for (whole in listOf(
            "0",
            "-0",
            "12",
            "9".repeat(64),
        )) {
            assertTrue((Json.parse(whole) as Json.Number).isWhole, whole)
        }
        for (real in listOf("0.0", "1e0", "1E2", "-1.5")) assertTrue(!(Json.parse(real) as Json.Number).isWhole, real)
    }

    @Test
    fun `depth, numbers and sizes have an end`() {
        Json.parse("[".repeat(100) + "]".repeat(100))
        for (deep in listOf("[".repeat(101), "{\"a\":".repeat(101), "[".repeat(2_000_000))) refused(deep, "deep")
        refused("9".repeat(65), "characters")
        refused("[${"1".repeat(100_000)}]", "")
        refused("1e309", "not finite")
        val large = ByteBuffer.allocate(Json.MAX_BYTES + 1)
        assertTrue("larger" in assertThrows(JsonException::class.java) { Json.parse(large) }.message!!)
    }

    @Test
    fun `a value of another type is named by its place`() {
        val document = Placed(Json.parse("""{"a": [{"b": 1.5}], "c": null}"""))
        val b = document["a"].list { it["b"] }.single()
        assertEquals("a.0.b must be a string", message { b.text() })
        assertEquals("a.0.b must be a whole number from 0 to 9", message { b.whole(0, 9) })
        assertEquals("a.0.b must be a list", message { b.list { it } })
        assertEquals("a.0.b must be an object", message { b["c"] })
        assertEquals("d is missing", message { document["d"] })
        assertEquals("the document must be true or false", message { document.flag() })
        assertEquals(1.5, b.number())
        assertEquals(null, document["c"].orNull())
        assertEquals(null, document.optional("d"))
    }

    private fun message(read: () -> Unit) = assertThrows(JsonException::class.java) { read() }.message

    private fun refused(text: String, reason: String) =
        assertTrue(reason in assertThrows(JsonException::class.java) { Json.parse(text) }.message!!)

    private fun document(random: Random, depth: Int): Json = when (random.nextInt(if (depth == 0) 4 else 6)) {
        0 -> Json.Null
        1 -> Json.Bool(random.nextBoolean())
        2 -> Json.Number(listOf("0", "-1", "12.50", "1e-7", "-0.0", "9007199254740993").random(random))
        3 -> Json.Text(text(random))
        4 -> Json.Array(List(random.nextInt(4)) { document(random, depth - 1) })
        else -> Json.Object(List(random.nextInt(4)) { text(random) }.associateWith { document(random, depth - 1) })
    }

    private fun text(random: Random) = List(random.nextInt(5)) {
        listOf("a", "\"", "\\", "\n", "\u0001", "é", "한", "😀", "/").random(random)
    }.joinToString("")

    private fun written(json: Json, random: Random): String = when (json) {
        Json.Null -> "null"

        is Json.Bool -> "${json.value}"

        is Json.Number -> json.text

        is Json.Text -> written(json.value, random)

        is Json.Array -> json.items.joinToString(space(random) + ",", "[", "]") { space(random) + written(it, random) }

        is Json.Object -> json.members.entries.joinToString(",", "{", "}") { (key, value) ->
            space(random) + written(key, random) + space(random) + ":" + space(random) + written(value, random)
        }
    }

    private fun space(random: Random) = listOf("", " ", "\n\t").random(random)

    private fun written(text: String, random: Random) = text.map { char ->
        when {
            char < ' ' || char.isSurrogate() || random.nextInt(5) == 0 -> "\\u%04x".format(char.code)
            char == '"' || char == '\\' -> "\\$char"
            else -> "$char"
        }
    }.joinToString("", "\"", "\"")
}
