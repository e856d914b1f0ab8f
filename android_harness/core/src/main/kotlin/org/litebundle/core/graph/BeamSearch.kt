package org.litebundle.core.graph

import org.litebundle.core.glue.GlueException
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tokens
import kotlin.math.exp
import kotlin.math.ln

/** The numbers of `autoregressive_decode` (docs/glue.md). */
internal class BeamRules(val start: Int, val end: Int, val maxTokens: Int, val beam: Int)

/** A model that makes one step; it keeps its states under numbers from 0 on. */
internal interface TokenModel {
    /** Length of the logits. */
    val vocabulary: Int

    /** Make [state] the one before the first token. */
    fun begin(state: Int)

    /** Run on [token] and state [from]; the logits go into [logits] from index [at] on, the next state becomes [to]. */
    fun step(token: Int, from: Int, to: Int, logits: DoubleArray, at: Int)
}

/**
 * The token loop of docs/glue.md, "autoregressive_decode": greedy with a beam of 1, else beam search.
 *
 * All hypotheses and tables are kept from one run to the next.
 */
internal class BeamSearch(private val rules: BeamRules, private val model: TokenModel) {
    private val vocabulary = model.vocabulary
    private var open = Hypotheses()
    private var extended = Hypotheses()
    private val finished = Hypotheses()
    private var table = DoubleArray(0)

    /** Throws [GlueException] if a highest logit is NaN or infinite. */
    fun run(tokens: Tokens, score: Score) {
        begin()
        for (step in 0 until rules.maxTokens) {
            extend(firstNext = if (step % 2 == 0) rules.beam else 0)
            if (open.count == 0) break
        }
        val best = best()
        tokens.reshape(if (best.last == rules.end) best.tokens.count - 1 else best.tokens.count)
        System.arraycopy(best.tokens.ids, 0, tokens.ids, 0, tokens.count)
        score.score = best.score
    }

    private fun begin() {
        finished.count = 0
        open.count = 0
        open.add().begin(rules.start)
        model.begin(open[0].state)
    }

    /** Extend each open hypothesis by the best tokens; states under numbers from [firstNext] on are free. */
    private fun extend(firstNext: Int) {
        val count = open.count * vocabulary
        if (table.size < count) table = DoubleArray(maxOf(count, 2 * table.size))
        for (i in 0 until open.count) {
            val at = i * vocabulary
            model.step(open[i].last, open[i].state, firstNext + i, table, at)
            toLogProbabilities(at, open[i].logProbability)
        }
        extended.count = 0
        var chosen = -1
        for (place in 0 until minOf(rules.beam - finished.count, count)) {
            chosen = nextBest(chosen, count)
            val parent = chosen / vocabulary
            val token = chosen % vocabulary
            val among = if (token == rules.end) finished else extended
            among.add().extend(open[parent], token, table[chosen], firstNext + parent)
        }
        open = extended.also { extended = open }
    }

    /** Logits into total + log-softmax: `(x − highest) − log(Σ exp(x − highest))`. */
    private fun toLogProbabilities(at: Int, total: Double) {
        var highest = Double.NEGATIVE_INFINITY
        for (i in at until at + vocabulary) highest = maxOf(highest, table[i])
        if (!highest.isFinite()) {
            throw GlueException(
                "autoregressive_decode: the step's logits hold NaN or infinity; the model is broken for this input",
            )
        }
        var sum = 0.0
        for (i in at until at + vocabulary) sum += exp(table[i] - highest)
        val log = ln(sum)
        for (i in at until at + vocabulary) table[i] = total + (table[i] - highest - log)
    }

    /** The entry that follows [before] (-1: the first) when they are sorted, highest first, ties by index. */
    private fun nextBest(before: Int, count: Int): Int {
        var best = -1
        for (i in 0 until count) {
            val value = table[i]
            val comesLater = before < 0 || value < table[before] || (value == table[before] && i > before)
            if (comesLater && (best < 0 || value > table[best])) best = i
        }
        return best
    }

    private fun best(): Hypothesis {
        var best: Hypothesis? = null
        for (i in 0 until finished.count) if (best == null || finished[i].score > best.score) best = finished[i]
        for (i in 0 until open.count) if (best == null || open[i].score > best.score) best = open[i]
        return best!!
    }
}

private class Hypothesis {
    val tokens = Tokens()
    var logProbability = 0.0
        private set
    var last = 0
        private set
    var state = 0
        private set

    val score get() = logProbability / tokens.count

    fun begin(start: Int) {
        tokens.reshape(0)
        logProbability = 0.0
        last = start
        state = 0
    }

    fun extend(parent: Hypothesis, token: Int, logProbability: Double, state: Int) {
        val count = parent.tokens.count
        tokens.reshape(count + 1)
        System.arraycopy(parent.tokens.ids, 0, tokens.ids, 0, count)
        tokens.ids[count] = token
        this.logProbability = logProbability
        last = token
        this.state = state
    }
}

private class Hypotheses {
    private val pool = ArrayList<Hypothesis>()
    var count = 0

    operator fun get(i: Int) = pool[i]

    fun add(): Hypothesis {
        if (count == pool.size) pool.add(Hypothesis())
        return pool[count++]
    }
}
