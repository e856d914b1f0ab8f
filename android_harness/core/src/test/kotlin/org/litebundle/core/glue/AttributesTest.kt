package org.litebundle.core.glue

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.DynamicTest.dynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory
import org.litebundle.core.json.Json
import java.io.File

class AttributesTest {
    private val cases = (
        Json.parse(File(System.getProperty("litebundle.root"), "tests/vectors/glue_attributes.json").readText())
            as Json.Object
        ).members

    @TestFactory
    fun `accepted attributes prepare a step`(): List<DynamicTest> = tests("accepted") { operation, attributes ->
        operation.prepare(attributes)
    }

    @TestFactory
    fun `other attributes are refused in words that name the operation`(): List<DynamicTest> =
        tests("refused") { operation, attributes ->
            val refusal = assertThrows(GlueException::class.java) { operation.prepare(attributes) }
            assertTrue(refusal.message!!.startsWith("${operation.name}: "), refusal.message)
        }

    @Test
    fun `a label file that nobody read is refused`() {
        val attributes = mapOf("labels" to Json.Text("labels.json"), "style" to Json.Text("none"))
        assertThrows(GlueException::class.java) {
            Operations.all.getValue("detokenize").prepare(Attributes(attributes, null))
        }
    }

    private fun tests(key: String, check: (Operation, Attributes) -> Unit): List<DynamicTest> {
        val entries = (cases.getValue(key) as Json.Array).items.map { (it as Json.Array).items }
        assertEquals(Operations.all.keys, entries.map { (it[0] as Json.Text).value }.toSet())
        return entries.map { (op, attributes) ->
            val operation = Operations.all.getValue((op as Json.Text).value)
            val members = (attributes as Json.Object).members
            dynamicTest("${operation.name} $members") { check(operation, Attributes(members, listOf("a", "b"))) }
        }
    }
}
