package org.litebundle.core.glue

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.litebundle.core.value.Image
import org.litebundle.core.value.Items
import org.litebundle.core.value.Value

class VectorsTest {
    @TestFactory
    fun `every operation gives its vectors, and changes none of its inputs`(): List<DynamicTest> =
        Operations.all.values.flatMap { operation ->
            VectorFiles.read(operation.name).map { dynamicTest("$it") { check(operation, it) } }
        }

    @Test
    fun `every operation has vectors`() {
        for (name in Operations.all.keys) assertTrue(VectorFiles.read(name).isNotEmpty(), name)
    }

    private fun check(operation: Operation, vector: Vector) {
        val inputs = operation.inputs.zip(vector.inputs.values) { kind, value ->
            valueOf(value as VectorValue.Array, kind)
        }.toTypedArray()
        val outputs = outputsOf(operation)
        val expected = vector.outputs
        if (expected == null) {
            assertThrows(GlueException::class.java) { operation.prepare(vector.forStep()).run(inputs, outputs) }
            return
        }
        val step = operation.prepare(vector.forStep())
        // The second run finds used memory.
        for (time in 1..2) {
            step.run(inputs, outputs)
            assertEquals(expected.size, outputs.size)
            expected.entries.forEachIndexed { i, (name, value) ->
                assertEqual(value, vectorValueOf(outputs[i]), vector.tolerance[name] ?: 0.0, "$vector: $name")
            }
        }
        vector.inputs.entries.forEachIndexed { i, (name, value) ->
            assertEqual(value, vectorValueOf(inputs[i]), 0.0, "$vector: input $name")
        }
    }
}

/** New values for the outputs of [operation]. */
fun outputsOf(operation: Operation): Array<Value> = Array(operation.outputs.size) { i ->
    if (operation.name == "crop_boxes" && i == 0) Items(::Image) else operation.outputs[i].make()
}
