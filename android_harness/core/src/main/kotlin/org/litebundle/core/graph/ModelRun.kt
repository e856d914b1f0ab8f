package org.litebundle.core.graph

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.Model
import org.litebundle.core.glue.Step
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

/** A stage's loaded model with its border, and [timer] that hears of each run. */
internal class ModelRun(val stage: StageSpec, val model: Model, private val timer: StageTimer) {
    val inputs = stage.inputs.zip(model.inputs, ::InputPort)
    val outputs = stage.outputs.zip(model.outputs, ::OutputPort)

    /** Run on what the inputs hold. */
    fun run() {
        timer.enqueued()
        model.enqueue()
        model.await()
        timer.ready()
    }
}

/** `op` "model": one run; inputs and outputs are tensors, in the order of the stage's. */
internal class ModelStep(private val run: ModelRun) : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        for (i in inputs.indices) run.inputs[i].write(inputs[i] as Tensor)
        run.run()
        for (i in outputs.indices) run.outputs[i].read(outputs[i] as Tensor)
    }
}
