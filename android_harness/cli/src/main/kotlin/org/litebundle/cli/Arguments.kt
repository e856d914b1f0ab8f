package org.litebundle.cli

/** What was asked cannot be done, in words. */
class UsageException(message: String) : Exception(message)

/**
 * What follows a verb: arguments in their order, and options, `--name value` or `--name` for those in [flags].
 *
 * Throws [UsageException] for an option that is not in [valued] or [flags], comes twice or has no value.
 */
internal class Arguments(given: List<String>, valued: Set<String> = emptySet(), flags: Set<String> = emptySet()) {
    private val positional = ArrayList<String>()
    private val options = HashMap<String, String>()

    init {
        val rest = given.iterator()
        while (rest.hasNext()) {
            val word = rest.next()
            val value = when (word) {
                in flags -> ""
                in valued -> if (rest.hasNext()) rest.next() else throw UsageException("$word needs a value")
                else -> null
            }
            when {
                value != null -> if (options.put(word, value) != null) throw UsageException("$word is there twice")
                word.startsWith("-") -> throw UsageException("there is no option $word")
                else -> positional.add(word)
            }
        }
    }

    /** The arguments, which must be as many as [names]. */
    fun positional(vararg names: String): List<String> {
        if (positional.size != names.size) throw UsageException("it takes ${names.joinToString(" ")}")
        return positional
    }

    operator fun get(option: String): String? = options[option]

    operator fun contains(option: String) = option in options
}
