package org.litebundle.core.run

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.litebundle.core.graph.ResultField
import org.litebundle.core.graph.RunException
import org.litebundle.core.json.Json
import org.litebundle.core.value.Boxes
import org.litebundle.core.value.DType
import org.litebundle.core.value.Index
import org.litebundle.core.value.Items
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Quantization
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Text
import org.litebundle.core.value.Value

/** docs/bundle.md, "Results". */
class ResultTest {
    private val boxes = Boxes().apply {
        reshape(2)
        for (i in 0 until 2 * Boxes.STRIDE) numbers[i] = i + 0.5f
    }
    private val texts = Items(Kind.TEXT.make).apply {
        reshape(2)
        (this[0] as Text).text.append("a")
        (this[1] as Text).text.append("b")
    }
    private val whole = Index().apply { index = 7 }

    @Test
    fun `lists and boxes give each item its own, any other value is the same in all`() {
        val result = result("box" to boxes, "text" to texts, "class" to whole)
        assertEquals(2, result.count)
        assertEquals("b", result.text(1, "text").toString())
        assertEquals(7, result.index(0, "class"))
        val corners = FloatArray(4)
        result.box(1, "box", corners)
        assertArrayEquals(floatArrayOf(5.5f, 6.5f, 7.5f, 8.5f), corners)
        val json = """[{"box":[0.5,1.5,2.5,3.5],"text":"a","class":7},{"box":[5.5,6.5,7.5,8.5],"text":"b","class":7}]"""
        assertEquals(Json.parse(json), result.toJson())
    }

    @Test
    fun `without a list there is one item, and tensors are nested lists of real numbers`() {
        val tensor = Tensor().apply {
            reshape(DType.INT8, intArrayOf(1, 2, 2))
            byteArrayOf(-1, 0, 1, 2).copyInto(bytes)
            quantization = Quantization(0.5f, 1)
        }
        assertEquals(Json.parse("""[{"t":[[[-1.0,-0.5],[0.0,0.5]]]}]"""), result("t" to tensor).toJson())
    }

    @Test
    fun `fields that differ in their number of items are refused`() {
        val three = Items(Kind.TEXT.make).apply { reshape(3) }
        assertThrows(RunException::class.java) { result("box" to boxes, "text" to three) }
    }

    @Test
    fun `an item or a field that is not there is refused`() {
        val result = result("text" to texts)
        assertThrows(IllegalArgumentException::class.java) { result.text(2, "text") }
        assertThrows(IllegalArgumentException::class.java) { result.text(0, "latex") }
    }

    private fun result(vararg fields: Pair<String, Value>): Result {
        val values = fields.toMap()
        return Result(fields.map { ResultField(it.first, it.first) }, values::getValue).apply { update() }
    }
}
