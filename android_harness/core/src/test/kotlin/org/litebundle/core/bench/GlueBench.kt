package org.litebundle.core.bench

import org.litebundle.core.glue.Operation
import org.litebundle.core.glue.Operations
import org.litebundle.core.glue.Vector
import org.litebundle.core.glue.VectorFiles
import org.litebundle.core.glue.VectorValue
import org.litebundle.core.glue.outputsOf
import org.litebundle.core.glue.valueOf

/** Prints `operation case ns` for each vector below litebundle.root: the least time of many runs. */
fun main() {
    for (folder in VectorFiles.folders) {
        val operation = Operations.all.getValue(folder)
        for (vector in VectorFiles.read(folder)) println("$folder ${vector.case} ${leastNs(operation, vector)}")
    }
}

private const val LEAST_RUNS = 200
private const val LEAST_NS = 700_000_000L

private fun leastNs(operation: Operation, vector: Vector): Long {
    val inputs = operation.inputs.zip(vector.inputs.values) { kind, value ->
        valueOf(value as VectorValue.Array, kind)
    }.toTypedArray()
    val outputs = outputsOf(operation)
    val step = operation.prepare(vector.forStep())
    val begin = System.nanoTime()
    var least = Long.MAX_VALUE
    var runs = 0
    while (runs++ < LEAST_RUNS || System.nanoTime() - begin < LEAST_NS) {
        val start = System.nanoTime()
        step.run(inputs, outputs)
        least = minOf(least, System.nanoTime() - start)
    }
    return least
}
