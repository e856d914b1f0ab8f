package org.litebundle.core.graph

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.glue.Attributes
import org.litebundle.core.glue.GlueException
import org.litebundle.core.glue.Operation
import org.litebundle.core.glue.Operations
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.value.Kind

/** Why a graph cannot be run, in words that name the node. */
class GraphException(message: String) : Exception(message)

/** A graph that can be run from its first node to its last. */
class CheckedGraph private constructor(
    val graph: Graph,
    /** Value name → its kind; of a list, the kind of its items. */
    val kinds: Map<String, Kind>,
    /** The values that are lists. */
    val lists: Set<String>,
) {
    companion object {
        /**
         * Check [graph] (docs/bundle.md, "Graph") with the bundle's [stages] and the content of its label files.
         *
         * Throws [GraphException]: an unknown operation, a value read before it is made or made twice, `each` without a
         * list or a list without `each`, a stage without a model, ports that do not fit, or attributes that are not
         * the operation's.
         */
        fun of(graph: Graph, stages: List<StageSpec>, labels: Map<String, List<String>>): CheckedGraph {
            val check = GraphCheck(stages.associateBy { it.name }, labels)
            graph.nodes.forEach(check::add)
            check.addResults(graph.results)
            return CheckedGraph(graph, check.kinds, check.lists)
        }
    }
}

private class GraphCheck(private val stages: Map<String, StageSpec>, private val labels: Map<String, List<String>>) {
    val kinds = hashMapOf(Graph.PHOTO to Kind.IMAGE)
    val lists = HashSet<String>()
    private val names = HashSet<String>()

    fun add(node: Node) {
        for (name in node.inputs + node.outputs + listOf(node.name, node.op) + listOfNotNull(node.stage)) {
            if (name.isEmpty()) fail(node, "has an empty name")
        }
        if (!names.add(node.name)) fail(node, "is there twice; node names are unique")
        node.inputs.find { it !in kinds }?.let { fail(node, "reads '$it' before any node has made it") }
        val outputs = ports(node)
        checkEach(node)
        for ((value, kind) in node.outputs.zip(outputs)) {
            if (kinds.put(value, kind) != null) fail(node, "writes '$value' a second time; a value is written once")
        }
        if (node.each) {
            lists.addAll(node.outputs)
        } else if (node.op == FAN_OUT) {
            lists.add(node.outputs[0])
        }
    }

    fun addResults(results: List<ResultField>) {
        val fields = HashSet<String>()
        for ((field, value) in results) {
            if (field.isEmpty()) throw GraphException("a result field has an empty name")
            if (value !in kinds) throw GraphException("result field '$field': value '$value' is made by no node")
            if (!fields.add(field)) throw GraphException("result field '$field' is given twice; each has one value")
        }
    }

    private fun checkEach(node: Node) {
        if (node.outputs.isEmpty()) fail(node, "makes no value")
        if (node.each != node.inputs.any { it in lists }) {
            val rule = if (node.each) "has 'each' but reads no list" else "reads a list and so must have 'each'"
            fail(node, "$rule; lists begin at $FAN_OUT")
        }
        if (node.each && node.op == FAN_OUT) fail(node, "makes lists inside a list, which is not part of this version")
    }

    /** Check the node's inputs against its operation's, and give the kinds of its outputs. */
    private fun ports(node: Node): List<Kind> {
        val (inputs, outputs) = when (node.op) {
            MODEL -> model(node).let { stage -> stage.inputs.map { Kind.TENSOR } to stage.outputs.map { Kind.TENSOR } }
            LOOP -> loop(node) to listOf(Kind.TOKENS, Kind.SCORE)
            else -> operation(node).let { it.inputs to it.outputs }
        }
        if (node.inputs.size != inputs.size || node.outputs.size != outputs.size) {
            fail(
                node,
                "gives ${node.inputs.size} inputs and takes ${node.outputs.size} outputs, but ${node.op} has " +
                    "${inputs.size} and ${outputs.size}",
            )
        }
        for ((value, kind) in node.inputs.zip(inputs)) {
            if (kinds[value] != kind) fail(node, "takes a ${kind.id}, but '$value' is a ${kinds[value]?.id}")
        }
        return outputs
    }

    private fun operation(node: Node): Operation {
        val operation = Operations.all[node.op] ?: fail(node, "has the unknown operation '${node.op}'")
        val file = (node.attributes["labels"] as? Json.Text)?.value
        try {
            operation.prepare(Attributes(node.attributes, labels[file]))
        } catch (error: GlueException) {
            fail(node, "cannot be prepared: ${error.message}")
        }
        return operation
    }

    private fun model(node: Node): StageSpec =
        stages[node.stage] ?: fail(node, "has no model for stage '${node.stage}'")

    private fun loop(node: Node): List<Kind> = try {
        LoopAttributes.read(node.attributes, model(node)).constants.map { Kind.TENSOR }
    } catch (error: JsonException) {
        fail(node, "cannot be prepared: ${error.message}")
    }

    private fun fail(node: Node, rule: String): Nothing = throw GraphException("node '${node.name}' $rule")

    private companion object {
        const val MODEL = "model"
        const val LOOP = "autoregressive_decode"
        const val FAN_OUT = "crop_boxes"
    }
}
