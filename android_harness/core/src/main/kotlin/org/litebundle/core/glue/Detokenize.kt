package org.litebundle.core.glue

import org.litebundle.core.value.Kind
import org.litebundle.core.value.Text
import org.litebundle.core.value.Tokens
import org.litebundle.core.value.Value

private const val OP = "detokenize"

internal val detokenize = Operation(OP, listOf(Kind.TOKENS), listOf(Kind.TEXT)) { attributes ->
    attributes.read(OP) { Detokenize(labels(), choice("style", listOf("latex", "space", "none"))) }
}

private class Detokenize(private val labels: Array<String>, private val style: String) : Step {
    private val isControlWord = BooleanArray(labels.size) { isControlWord(labels[it]) }
    private val beginsWithLetter = BooleanArray(labels.size) { labels[it].isNotEmpty() && isLetter(labels[it][0]) }

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val tokens = inputs[0] as Tokens
        val text = (outputs[0] as Text).text
        text.setLength(0)
        for (i in 0 until tokens.count) {
            val token = tokens.ids[i]
            if (token !in labels.indices) {
                throw GlueException(
                    "$OP: token $token for ${labels.size} labels; the label file must name every token of the " +
                        "model's vocabulary",
                )
            }
            if (i > 0 && isParted(tokens.ids[i - 1], token)) text.append(' ')
            text.append(labels[token])
        }
    }

    private fun isParted(before: Int, token: Int) = when (style) {
        "latex" -> isControlWord[before] && beginsWithLetter[token]
        else -> style == "space"
    }
}

private fun isLetter(char: Char) = char in 'a'..'z' || char in 'A'..'Z'

/** A backslash and ASCII letters, nothing else. */
private fun isControlWord(label: String) =
    label.length > 1 && label[0] == '\\' && (1 until label.length).all { isLetter(label[it]) }
