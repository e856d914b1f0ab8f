package org.litebundle.core.graph

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.glue.Attributes
import org.litebundle.core.glue.GlueException
import org.litebundle.core.glue.Operation
import org.litebundle.core.glue.Operations
import org.litebundle.core.glue.Step
import org.litebundle.core.json.Json
import org.litebundle.core.run.StageListener
import org.litebundle.core.value.Image
import org.litebundle.core.value.Items
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

/** Why a photo could not be run through a graph, in words that name the node. */
class RunException(message: String, cause: Throwable? = null) : Exception(message, cause)

/**
 * A graph made ready: every node checked, every value's memory there. Running it goes through the nodes in order; a
 * steady state allocates nothing. One thread at a time.
 *
 * A stage is timed from its first node to the first of the next one; what comes in between counts as its own, also a
 * node that names no stage or an earlier one. Throws [GraphException] for attributes that an operation or a stage does
 * not take.
 */
internal class PreparedGraph(
    checked: CheckedGraph,
    private val models: Map<String, Pair<StageSpec, Model>>,
    private val labels: (String) -> List<String>,
    clock: MonotonicClock,
    private val operations: Map<String, Operation> = Operations.all,
) {
    private val timer = StageTimer(clock)
    private val values = HashMap<String, Value>()
    private val nodes: List<PreparedNode>

    /** In the order in which they run; a listener's stage is an index of this. */
    val stages: List<String>

    init {
        values[Graph.PHOTO] = Image()
        for (name in checked.kinds.keys - Graph.PHOTO) values[name] = container(checked, name)
        val order = stageOfEach(checked.graph.nodes)
        stages = order.distinct()
        nodes = checked.graph.nodes.zip(order) { node, stage -> prepare(node, stages.indexOf(stage)) }
    }

    /** The memory of a value; what is in it is that of the last run. */
    fun value(name: String): Value = values.getValue(name)

    /** Throws [RunException] if an operation or a model refuses what comes to it. */
    fun run(photo: Image, listener: StageListener) {
        timer.begin(listener)
        for (i in nodes.indices) {
            val node = nodes[i]
            node.run(photo)
            val next = if (i + 1 < nodes.size) nodes[i + 1].stage else null
            if (next != node.stage) timer.end(next)
        }
    }

    private fun container(checked: CheckedGraph, name: String): Value {
        val kind = checked.kinds.getValue(name)
        return if (name in checked.lists) Items(kind.make) else kind.make()
    }

    private fun stageOfEach(nodes: List<Node>): List<String> {
        val begun = LinkedHashSet<String>()
        begun += nodes.firstNotNullOfOrNull { it.stage } ?: throw GraphException("no node of the graph names a stage")
        return nodes.map { node ->
            node.stage?.let(begun::add)
            begun.last()
        }
    }

    private fun prepare(node: Node, stage: Int): PreparedNode {
        val inputs = Array(node.inputs.size) { value(node.inputs[it]) }
        val outputs = Array(node.outputs.size) { value(node.outputs[it]) }
        val photos = node.inputs.indices.filter { node.inputs[it] == Graph.PHOTO }.toIntArray()
        val step = step(node)
        return PreparedNode(node.name, stage, if (node.each) EachStep(step, inputs) else step, inputs, outputs, photos)
    }

    private fun step(node: Node): Step = when (node.op) {
        "model" -> ModelStep(modelRun(node))
        "autoregressive_decode" -> TokenLoop(node, modelRun(node))
        else -> glue(node)
    }

    private fun modelRun(node: Node): ModelRun {
        val (stage, model) = models[node.stage] ?: throw GraphException("node '${node.name}': there is no model for it")
        return ModelRun(stage, model, timer)
    }

    private fun glue(node: Node): Step = try {
        val operation = operations[node.op] ?: throw GlueException("this version has no operation '${node.op}'")
        val labels = (node.attributes["labels"] as? Json.Text)?.let { labels(it.value) }
        val step = operation.prepare(Attributes(node.attributes, labels))
        if (Kind.TENSOR in operation.inputs) PlainStep(step, operation.inputs.size) else step
    } catch (error: GlueException) {
        throw GraphException("node '${node.name}': ${error.message}")
    }
}

private class PreparedNode(
    private val name: String,
    val stage: Int,
    private val step: Step,
    private val inputs: Array<Value>,
    private val outputs: Array<Value>,
    private val photos: IntArray,
) {
    fun run(photo: Image) {
        for (place in photos) inputs[place] = photo
        try {
            step.run(inputs, outputs)
        } catch (error: GlueException) {
            throw RunException("node '$name': ${error.message}", error)
        } catch (error: EngineException) {
            throw RunException("node '$name': ${error.message}", error)
        }
    }
}

/** Glue that takes tensors, given real numbers in place of raw ones. */
private class PlainStep(private val step: Step, inputs: Int) : Step {
    private val plain = Array(inputs) { Plain() }
    private val real = arrayOfNulls<Value>(inputs)

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        for (i in inputs.indices) real[i] = plain[i].of(inputs[i])
        @Suppress("UNCHECKED_CAST")
        step.run(real as Array<Value>, outputs)
    }
}

/** A node that runs once per item of its list inputs; its outputs are lists. */
private class EachStep(private val step: Step, inputs: Array<Value>) : Step {
    private val row = inputs.copyOf()
    private val lists = inputs.indices.filter { inputs[it] is Items }.toIntArray()
    private var results = emptyArray<Value>()

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        inputs.copyInto(row)
        val count = (inputs[lists[0]] as Items).count
        for (place in lists) {
            if ((inputs[place] as Items).count != count) throw GlueException("its lists have different lengths")
        }
        if (results.size != outputs.size) results = outputs.copyOf()
        for (output in outputs) (output as Items).reshape(count)
        for (i in 0 until count) {
            for (place in lists) row[place] = (inputs[place] as Items)[i]
            for (place in outputs.indices) results[place] = (outputs[place] as Items)[i]
            step.run(row, results)
        }
    }
}
