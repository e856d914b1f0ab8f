package org.litebundle.core.glue

import org.litebundle.core.json.Json

/**
 * Read the attributes of one use of [op] by [block], which names each that the operation has.
 *
 * Throws [GlueException] for an attribute that is missing, has another type than its own (`3.0` is no whole number,
 * null is no number), is out of its range, or is none of the operation's.
 */
internal fun <T> Attributes.read(op: String, block: AttributeReader.() -> T): T {
    val reader = AttributeReader(op, this)
    val result = reader.block()
    reader.refuseOthers()
    return result
}

/** Height and width in pixels. */
internal class Size(val height: Int, val width: Int)

/** Without a default an attribute is required. */
internal class AttributeReader(private val op: String, private val attributes: Attributes) {
    private val known = LinkedHashSet<String>()

    fun whole(key: String, range: IntRange, default: Int? = null): Int =
        whole(key, member(key) ?: return default ?: missing(key), range)

    /** A whole number from 1 to the longest side of an image. */
    fun count(key: String, default: Int? = null) = whole(key, 1..MAX_SIDE, default)

    fun real(key: String, default: Double? = null): Double = real(key, member(key) ?: return default ?: missing(key))

    fun realOrNull(key: String): Double? = when (val member = member(key)) {
        null, Json.Null -> null
        else -> real(key, member)
    }

    fun notNegative(key: String, default: Double): Double {
        val value = real(key, default)
        return if (value >= 0) value else refuse(key, "0 or more")
    }

    fun fraction(key: String, default: Double): Double {
        val value = real(key, default)
        return if (value in 0.0..1.0) value else refuse(key, "0 to 1")
    }

    fun reals(key: String, counts: IntRange): DoubleArray {
        val items = items(key, counts)
        return DoubleArray(items.size) { real(key, items[it]) }
    }

    fun wholes(key: String, counts: IntRange, range: IntRange, default: IntArray): IntArray {
        if (key !in attributes.members) return default.also { known += key }
        val items = items(key, counts)
        return IntArray(items.size) { whole(key, items[it], range) }
    }

    fun size(key: String): Size {
        val sides = items(key, 2..2)
        return Size(whole(key, sides[0], 1..MAX_SIDE), whole(key, sides[1], 1..MAX_SIDE))
    }

    fun bool(key: String, default: Boolean): Boolean = when (val member = member(key)) {
        null -> default
        is Json.Bool -> member.value
        else -> refuse(key, "true or false")
    }

    fun choice(key: String, choices: List<String>, default: String? = null): String {
        val member = member(key) ?: return default ?: missing(key)
        val text = (member as? Json.Text)?.value
        return if (text in choices) text!! else refuse(key, "one of ${choices.joinToString()}")
    }

    /** The content of the label file that `labels` names. */
    fun labels(): Array<String> {
        if (member("labels") !is Json.Text) refuse("labels", "the name of a label file")
        return attributes.labels?.toTypedArray()
            ?: throw GlueException("$op: the label file was not read; give its strings as the labels")
    }

    fun refuse(key: String, wanted: String): Nothing =
        throw GlueException("$op: attribute '$key' is ${shown(attributes.members[key])}; it must be $wanted")

    fun refuseOthers() {
        val others = attributes.members.keys - known
        if (others.isNotEmpty()) {
            throw GlueException("$op: has no attribute '${others.first()}'; it has ${known.ifEmpty { "none" }}")
        }
    }

    private fun member(key: String): Json? {
        known += key
        return attributes.members[key]
    }

    private fun missing(key: String): Nothing = throw GlueException("$op: attribute '$key' is missing")

    private fun items(key: String, counts: IntRange): List<Json> {
        val items = (member(key) ?: missing(key)) as? Json.Array
        return items?.items?.takeIf { it.size in counts } ?: refuse(key, "a list of ${shown(counts)} values")
    }

    private fun whole(key: String, json: Json, range: IntRange): Int {
        val value = (json as? Json.Number)?.takeIf { it.isWhole }?.text?.toIntOrNull()
        return value?.takeIf { it in range } ?: refuse(key, "whole, ${shown(range)}")
    }

    private fun real(key: String, json: Json): Double =
        (json as? Json.Number)?.value?.takeIf { it.isFinite() } ?: refuse(key, "a finite number")

    private fun shown(range: IntRange) =
        if (range.first == range.last) "${range.first}" else "${range.first} to ${range.last}"

    private fun shown(json: Json?): String = when (json) {
        is Json.Number -> json.text
        is Json.Text -> "'${json.value}'"
        is Json.Bool -> "${json.value}"
        is Json.Array -> json.items.joinToString(prefix = "[", postfix = "]") { shown(it) }
        is Json.Object -> "an object"
        Json.Null, null -> "null"
    }
}
