package org.litebundle.core.glue

import org.litebundle.core.json.Json
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

/** An input that breaks an operation's definition, in words. */
class GlueException(message: String) : Exception(message)

/** What one use of an operation gets from the manifest; [labels] is the content of its label file, if it has one. */
class Attributes(val members: Map<String, Json>, val labels: List<String>?)

/**
 * An operation of docs/glue.md: its name there, the kinds of its inputs and outputs, and how a use of it is made.
 *
 * [prepare] checks the attributes once, and throws [GlueException] for what the definition does not allow.
 * `crop_boxes` is the one whose first output is a list of its kind.
 */
class Operation(val name: String, val inputs: List<Kind>, val outputs: List<Kind>, val prepare: (Attributes) -> Step)

/**
 * One use of an operation: fills [outputs] from [inputs] and changes none of these.
 *
 * It keeps scratch memory between runs, so that a steady state allocates nothing; one thread at a time.
 * Throws [GlueException] if an input breaks the definition.
 */
fun interface Step {
    fun run(inputs: Array<Value>, outputs: Array<Value>)
}
