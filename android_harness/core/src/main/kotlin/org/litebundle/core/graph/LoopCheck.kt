package org.litebundle.core.graph

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed

private const val MOST = 16384L
private val known = setOf("token", "constants", "state", "logits", "start", "end", "max_tokens", "beam")

/**
 * Check the attributes of an `autoregressive_decode` node (docs/glue.md) against its [stage], and give the inputs that
 * stay in its loop.
 *
 * Throws [JsonException] for an attribute that is missing, unknown, of another type or out of its range, for an input
 * that is not fed exactly once, and for an output that the model does not give.
 */
internal fun checkLoop(attributes: Map<String, Json>, stage: StageSpec): List<String> {
    (attributes.keys - known).firstOrNull()?.let { throw JsonException("'$it' is no attribute") }
    val members = Placed(Json.Object(attributes))
    val constants = members.optional("constants")?.list { it.text() }.orEmpty()
    val state = members.optional("state")?.map { it.text() }.orEmpty()
    for (key in listOf("start", "end")) members[key].whole(0, Int.MAX_VALUE.toLong())
    members["max_tokens"].whole(1, MOST)
    members.optional("beam")?.whole(1, MOST)
    val fed = (constants + state.keys + members["token"].text()).sorted()
    val taken = stage.inputs.map { it.name }.sorted()
    if (fed != taken || fed.distinct() != fed) throw JsonException("it feeds $fed, but its model takes $taken")
    val given = stage.outputs.map { it.name }
    val missing = (state.values + members["logits"].text()).find { it !in given } ?: return constants
    throw JsonException("it reads '$missing', but its model gives $given")
}
