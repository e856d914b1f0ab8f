package org.litebundle.core.json

/**
 * A value and its place in its document, such as `stages.0.name`; read as the type that it must have.
 *
 * Each function throws [JsonException] naming the place if the value is of another type or out of range.
 */
class Placed(val json: Json, private val place: String = "") {
    fun text(): String = (json as? Json.Text)?.value ?: fail("must be a string")

    fun flag(): Boolean = (json as? Json.Bool)?.value ?: fail("must be true or false")

    /** A whole number, written without a fraction or an exponent. */
    fun whole(from: Long, to: Long): Long =
        (json as? Json.Number)?.takeIf { it.isWhole }?.text?.toLongOrNull()?.takeIf { it in from..to }
            ?: fail("must be a whole number from $from to $to")

    fun number(): Double = (json as? Json.Number)?.value ?: fail("must be a number")

    fun <T> list(read: (Placed) -> T): List<T> =
        ((json as? Json.Array) ?: fail("must be a list")).items.mapIndexed { i, item -> read(Placed(item, at("$i"))) }

    /** An object that may have any keys. */
    fun <T> map(read: (Placed) -> T): Map<String, T> =
        members().mapValues { (key, value) -> read(Placed(value, at(key))) }

    /** The value under [key], which must be there. */
    operator fun get(key: String): Placed = optional(key) ?: Placed(Json.Null, at(key)).fail("is missing")

    /** The value under [key], null if the key is not there. */
    fun optional(key: String): Placed? = members()[key]?.let { Placed(it, at(key)) }

    /** This, or null where the JSON is null. */
    fun orNull(): Placed? = takeIf { json != Json.Null }

    fun fail(rule: String): Nothing = throw JsonException("${place.ifEmpty { "the document" }} $rule")

    private fun members() = ((json as? Json.Object) ?: fail("must be an object")).members

    private fun at(key: String) = if (place.isEmpty()) key else "$place.$key"
}
