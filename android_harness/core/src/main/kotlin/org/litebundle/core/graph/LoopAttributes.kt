package org.litebundle.core.graph

import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed

/** The attributes of an `autoregressive_decode` node (docs/glue.md): tensor names of its stage, and the rules. */
internal class LoopAttributes(
    val token: String,
    val constants: List<String>,
    /** Input → the output that becomes it in the next step. */
    val state: Map<String, String>,
    val logits: String,
    val rules: BeamRules,
) {
    companion object {
        private const val MOST = 16384L
        private val known = setOf("token", "constants", "state", "logits", "start", "end", "max_tokens", "beam")

        /** Throws [GraphException] for an attribute that is missing, unknown, of another type or out of its range. */
        fun read(node: Node): LoopAttributes = try {
            (node.attributes.keys - known).firstOrNull()?.let { throw JsonException("'$it' is no attribute") }
            val members = Placed(Json.Object(node.attributes))
            LoopAttributes(
                members["token"].text(),
                members.optional("constants")?.list { it.text() }.orEmpty(),
                members.optional("state")?.map { it.text() }.orEmpty(),
                members["logits"].text(),
                BeamRules(
                    start = members["start"].whole(0, Int.MAX_VALUE.toLong()).toInt(),
                    end = members["end"].whole(0, Int.MAX_VALUE.toLong()).toInt(),
                    maxTokens = members["max_tokens"].whole(1, MOST).toInt(),
                    beam = members.optional("beam")?.whole(1, MOST)?.toInt() ?: 1,
                ),
            )
        } catch (error: JsonException) {
            throw GraphException("node '${node.name}', ${node.op}: ${error.message}")
        }
    }
}
