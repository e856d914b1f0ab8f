package org.litebundle.core.graph

import io.kotest.property.Arb
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.numericDouble
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import org.litebundle.core.glue.GlueException
import org.litebundle.core.glue.Vector
import org.litebundle.core.glue.VectorFiles
import org.litebundle.core.glue.assertEqual
import org.litebundle.core.glue.vectorValueOf
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tokens
import kotlin.math.exp
import kotlin.math.ln

class BeamSearchTest {
    @ParameterizedTest
    @MethodSource("vectors")
    fun `the loop does what its vectors say`(vector: Vector) {
        val table = vector.input("table")
        val rules =
            BeamRules(vector.whole("start"), vector.whole("end"), vector.whole("max_tokens"), vector.whole("beam"))
        val search = BeamSearch(rules, TableModel(table.entries, table.shape[0], table.shape[1]))
        val tokens = Tokens()
        val score = Score()
        repeat(2) {
            val outputs = vector.outputs
            if (outputs == null) {
                assertThrows(GlueException::class.java) { search.run(tokens, score) }
            } else {
                search.run(tokens, score)
                assertEqual(outputs.getValue("tokens"), vectorValueOf(tokens), 0.0, "$vector: tokens")
                assertEqual(
                    outputs.getValue("score"),
                    vectorValueOf(score),
                    vector.tolerance["score"] ?: 0.0,
                    "$vector: score",
                )
            }
        }
    }

    @Test
    fun `a beam that holds every sequence finds the best of them all`(): Unit = runBlocking {
        checkAll(200, Arb.list(Arb.numericDouble(-4.0, 4.0), 27..27)) { logits ->
            val table = logits.toDoubleArray()
            val tokens = Tokens()
            val score = Score()
            BeamSearch(BeamRules(START, END, STEPS, beam = 64), TableModel(table, STEPS, VOCABULARY)).run(tokens, score)
            val best = sequences(table, emptyList(), 0.0).maxOf { it.second }
            assertEquals(best, score.score, 1e-12)
        }
    }

    /** Every sequence that ends, or has all its steps, with its mean log-probability. */
    private fun sequences(table: DoubleArray, before: List<Int>, total: Double): List<Pair<List<Int>, Double>> {
        if (before.size == STEPS || before.lastOrNull() == END) return listOf(before to total / before.size)
        val at = (before.size * VOCABULARY + (before.lastOrNull() ?: START)) * VOCABULARY
        val log = ln((0 until VOCABULARY).sumOf { exp(table[at + it]) })
        return (0 until VOCABULARY).flatMap { sequences(table, before + it, total + table[at + it] - log) }
    }

    /** docs/glue.md, "Test vectors": in step n, after token p, the logits are `table[n mod S][p]`; n is the state. */
    private class TableModel(val table: DoubleArray, val steps: Int, override val vocabulary: Int) : TokenModel {
        private val counts = HashMap<Int, Int>()

        override fun begin(state: Int) {
            counts[state] = 0
        }

        override fun step(token: Int, from: Int, to: Int, logits: DoubleArray, at: Int) {
            val step = counts.getValue(from)
            val row = (step % steps * vocabulary + token) * vocabulary
            System.arraycopy(table, row, logits, at, vocabulary)
            counts[to] = step + 1
        }
    }

    companion object {
        private const val VOCABULARY = 3
        private const val STEPS = 3
        private const val START = 0
        private const val END = 2

        @JvmStatic
        fun vectors() = VectorFiles.read("autoregressive_decode")
    }
}
