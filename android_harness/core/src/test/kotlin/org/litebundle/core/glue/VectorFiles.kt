package org.litebundle.core.glue

import org.litebundle.core.json.Json
import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** A value in a vector file (docs/glue.md, "Test vectors"). */
sealed interface VectorValue {
    data class Text(val text: String) : VectorValue

    data class Number(val number: Double) : VectorValue

    data class Items(val items: List<VectorValue>) : VectorValue

    /** Entries in row-major order; a double holds any of the dtypes exactly. */
    class Array(val dtype: String, val shape: List<Int>, val entries: DoubleArray) : VectorValue
}

/** One use of an operation. [outputs] is null where the operation must refuse. */
class Vector(
    val op: String,
    val case: String,
    val attributes: Map<String, Json>,
    val inputs: Map<String, VectorValue>,
    val outputs: Map<String, VectorValue>?,
    val tolerance: Map<String, Double>,
) {
    override fun toString() = "$op/$case"

    fun input(name: String) = inputs.getValue(name) as VectorValue.Array

    fun whole(attribute: String) = (attributes.getValue(attribute) as Json.Number).text.toInt()

    fun text(attribute: String) = (attributes.getValue(attribute) as Json.Text).value

    /** The attributes as a step gets them from a manifest, where `labels` names a file. */
    fun forStep(): Attributes {
        val labels = (attributes["labels"] as? Json.Array)?.items?.map { (it as Json.Text).value }
        return Attributes(
            if (labels ==
                null
            ) {
                attributes
            } else {
                attributes + ("labels" to Json.Text("labels.json"))
            },
            labels,
        )
    }
}

/** The files under tests/vectors/glue. */
object VectorFiles {
    private val root = File(System.getProperty("litebundle.root"), "tests/vectors/glue")

    val folders: List<String> = root.listFiles { file -> file.isDirectory }!!.map { it.name }.sorted()

    fun read(folder: String): List<Vector> =
        File(root, folder).listFiles { file -> file.extension == "json" }!!.sorted().map(::read)

    private fun read(file: File): Vector {
        val document = (Json.parse(file.readText()) as Json.Object).members
        fun values(key: String) =
            (document.getValue(key) as Json.Object).members.mapValues { value(file.parentFile, it.value) }
        return Vector(
            op = (document.getValue("op") as Json.Text).value,
            case = (document.getValue("case") as Json.Text).value,
            attributes = (document.getValue("attributes") as Json.Object).members,
            inputs = values("inputs"),
            outputs = if ("refused" in document) null else values("outputs"),
            tolerance = (document["tolerance"] as? Json.Object)?.members.orEmpty().mapValues {
                (it.value as Json.Number).value
            },
        )
    }

    private fun value(folder: File, json: Json): VectorValue = when (json) {
        is Json.Text -> VectorValue.Text(json.value)
        is Json.Number -> VectorValue.Number(json.value)
        is Json.Array -> VectorValue.Items(json.items.map { value(folder, it) })
        is Json.Object -> array(folder, json.members)
        else -> error("no value: $json")
    }

    private fun array(folder: File, members: Map<String, Json>): VectorValue.Array {
        val dtype = (members.getValue("dtype") as Json.Text).value
        val shape = (members.getValue("shape") as Json.Array).items.map { (it as Json.Number).text.toInt() }
        val entries = when (val file = members["file"]) {
            is Json.Text -> entries(dtype, File(folder, file.value).readBytes())
            else -> (members.getValue("data") as Json.Array).items.map(::number).toDoubleArray()
        }
        check(entries.size == shape.fold(1, Int::times)) { "$members does not fit its shape" }
        return VectorValue.Array(dtype, shape, entries)
    }

    /** What JSON lacks is a string that Java reads too: NaN, Infinity, -Infinity. */
    private fun number(json: Json): Double =
        if (json is Json.Text) json.value.toDouble() else (json as Json.Number).value

    private fun entries(dtype: String, bytes: ByteArray): DoubleArray {
        val buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
        return when (dtype) {
            "uint8" -> DoubleArray(bytes.size) { (buffer.get(it).toInt() and 0xff).toDouble() }
            "int8" -> DoubleArray(bytes.size) { buffer.get(it).toDouble() }
            "int32" -> DoubleArray(bytes.size / 4) { buffer.getInt(4 * it).toDouble() }
            "float32" -> DoubleArray(bytes.size / 4) { buffer.getFloat(4 * it).toDouble() }
            "float64" -> DoubleArray(bytes.size / 8) { buffer.getDouble(8 * it) }
            else -> error("dtype $dtype")
        }
    }
}
