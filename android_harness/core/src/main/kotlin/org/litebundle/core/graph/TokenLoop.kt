package org.litebundle.core.graph

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.glue.Step
import org.litebundle.core.value.DType
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Tokens
import org.litebundle.core.value.Value

/** `op` "autoregressive_decode" of a checked graph: constant inputs → tokens, score. */
internal class TokenLoop(node: Node, run: ModelRun) : Step {
    private val loop = LoopAttributes.read(node.attributes, run.stage)
    private val step = TokenStep(loop, run)
    private val search = BeamSearch(loop.rules, step)

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        step.begin(inputs)
        search.run(outputs[0] as Tokens, outputs[1] as Score)
    }
}

/** A stage's model as one step of its loop; a state is one tensor for each entry of `state`. */
private class TokenStep(loop: LoopAttributes, private val run: ModelRun) : TokenModel {
    private val stage = run.stage
    private val tokenPlace = stage.input(loop.token)
    private val constantPlaces = loop.constants.map(stage::input).toIntArray()
    private val statePlaces = loop.state.keys.map(stage::input).toIntArray()
    private val nextStatePlaces = loop.state.values.map(stage::output).toIntArray()
    private val stateShapes = statePlaces.map { stage.inputs[it].shape.toIntArray() }
    private val logitsPlace = stage.output(loop.logits)
    private val token = Tensor().apply {
        reshape(stage.inputs[tokenPlace].dtype, stage.inputs[tokenPlace].shape.toIntArray())
    }
    private val raw = Tensor()
    private val plain = Plain()
    private val states = ArrayList<List<Tensor>>()
    private var constants = emptyArray<Value>()
    private var constantsAreThere = false

    override val vocabulary = stage.outputs[logitsPlace].shape.fold(1, Int::times)

    /** Another sequence begins, with other [constants]. */
    fun begin(constants: Array<Value>) {
        this.constants = constants
        constantsAreThere = false
    }

    /** Real zero, in the tensors' own raw form. */
    override fun begin(state: Int) {
        val tensors = state(state)
        for (i in statePlaces.indices) {
            val spec = stage.inputs[statePlaces[i]]
            tensors[i].reshape(spec.dtype, stateShapes[i])
            tensors[i].fill(spec.quantization?.zeroPoint ?: 0)
            tensors[i].quantization = spec.quantization
        }
    }

    override fun step(token: Int, from: Int, to: Int, logits: DoubleArray, at: Int) {
        this.token.fill(token)
        run.inputs[tokenPlace].write(this.token)
        for (i in statePlaces.indices) run.inputs[statePlaces[i]].write(state(from)[i])
        if (!constantsAreThere) writeConstants()
        run.run()
        for (i in nextStatePlaces.indices) run.outputs[nextStatePlaces[i]].read(state(to)[i])
        run.outputs[logitsPlace].read(raw)
        val reals = (plain.of(raw) as Tensor).floats
        for (i in 0 until vocabulary) logits[at + i] = reals[i].toDouble()
    }

    private fun writeConstants() {
        for (i in constantPlaces.indices) run.inputs[constantPlaces[i]].write(constants[i] as Tensor)
        constantsAreThere = run.model.keepsInputs
    }

    private fun state(number: Int): List<Tensor> {
        while (states.size <= number) states.add(statePlaces.map { Tensor() })
        return states[number]
    }
}

private fun StageSpec.input(name: String) = inputs.indexOfFirst { it.name == name }

private fun StageSpec.output(name: String) = outputs.indexOfFirst { it.name == name }

/** Set every element to [number]; float16 takes only 0. */
private fun Tensor.fill(number: Int) {
    when (dtype) {
        DType.FLOAT32 -> floats.fill(number.toFloat(), 0, size)
        DType.INT32 -> ints.fill(number, 0, size)
        DType.INT64 -> longs.fill(number.toLong(), 0, size)
        else -> bytes.fill(number.toByte(), 0, size * dtype.bytes)
    }
}
