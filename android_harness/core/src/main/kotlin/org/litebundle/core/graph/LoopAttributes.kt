package org.litebundle.core.graph

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed
import org.litebundle.core.value.DType

/** The attributes of an `autoregressive_decode` node (docs/glue.md): tensor names of its stage, and the rules. */
internal class LoopAttributes(
    val token: String,
    val constants: List<String>,
    /** Input → the output that becomes it in the next step. */
    val state: Map<String, String>,
    val logits: String,
    val rules: BeamRules,
) {
    private fun check(stage: StageSpec) {
        val fed = (constants + state.keys + token).sorted()
        val taken = stage.inputs.map { it.name }.sorted()
        if (fed != taken || fed.distinct() != fed) throw JsonException("it feeds $fed, but its model takes $taken")
        val given = stage.outputs.map { it.name }
        val missing = (state.values + logits).find { it !in given }
        if (missing != null) throw JsonException("it reads '$missing', but its model gives $given")
        val tokens = stage.inputs.first { it.name == token }
        if (tokens.dtype != DType.INT32 && tokens.dtype != DType.INT64) {
            throw JsonException("input '$token' takes ${tokens.dtype.id}, not a token")
        }
        val scores = stage.outputs.first { it.name == logits }
        if (scores.dtype != DType.FLOAT32 && scores.quantization == null) {
            throw JsonException("output '$logits' is ${scores.dtype.id}; logits are float32 or quantized")
        }
    }

    companion object {
        private const val MOST = 16384L
        private val known = setOf("token", "constants", "state", "logits", "start", "end", "max_tokens", "beam")

        /**
         * Throws [JsonException] for an attribute that is missing, unknown, of another type or out of its range, for an
         * input of [stage] that is not fed exactly once, and for an output that its model does not give.
         */
        fun read(attributes: Map<String, Json>, stage: StageSpec): LoopAttributes {
            (attributes.keys - known).firstOrNull()?.let { throw JsonException("'$it' is no attribute") }
            val members = Placed(Json.Object(attributes))
            val rules = BeamRules(
                start = members["start"].whole(0, Int.MAX_VALUE.toLong()).toInt(),
                end = members["end"].whole(0, Int.MAX_VALUE.toLong()).toInt(),
                maxTokens = members["max_tokens"].whole(1, MOST).toInt(),
                beam = members.optional("beam")?.whole(1, MOST)?.toInt() ?: 1,
            )
            return LoopAttributes(
                members["token"].text(),
                members.optional("constants")?.list { it.text() }.orEmpty(),
                members.optional("state")?.map { it.text() }.orEmpty(),
                members["logits"].text(),
                rules,
            ).apply { check(stage) }
        }
    }
}
