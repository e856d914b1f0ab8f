package org.litebundle.core.graph

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.json.Json
import org.litebundle.core.run.StageListener
import org.litebundle.core.run.StageMark
import org.litebundle.core.value.DType
import org.litebundle.core.value.Image
import org.litebundle.core.value.Quantization
import org.litebundle.core.value.Score
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Tokens
import java.nio.ByteBuffer

class PreparedGraphTest {
    private val photo = Image().apply {
        reshape(2, 1, 3)
        byteArrayOf(0, 1, 127, -128, -2, -1).copyInto(pixels)
    }
    private val half = Quantization(0.5f, -1)
    private val pixels = listOf(1, 1, 2, 3)

    @Test
    fun `uint8 pixels enter a folded int8 input less 128`() {
        val stage =
            stage("a", listOf(tensor("x", DType.INT8, pixels, half)), listOf(tensor("y", DType.INT8, pixels, half)))
        val out = run(listOf(toTensor, model(stage, "t", "y")), stage to ::copy).value("y") as Tensor
        assertArrayEquals(byteArrayOf(-128, -127, -1, 0, 126, 127), out.bytes.copyOf(out.size))
        assertEquals(half, out.quantization)
    }

    /** What [second] gives for what [first] gives for the photo. */
    private fun chained(first: StageSpec, second: StageSpec): Tensor {
        val nodes = listOf(toTensor, model(first, "t", "u"), model(second, "u", "v"))
        return run(nodes, first to ::copy, second to ::copy).value("v") as Tensor
    }

    @Test
    fun `raw integers pass untouched between tensors of equal quantization`() {
        val bytes = tensor("x", DType.INT8, pixels, half)
        val first = stage("a", listOf(tensor("x", DType.UINT8, pixels)), listOf(bytes))
        val second = stage("b", listOf(bytes), listOf(bytes))
        val out = chained(first, second)
        assertArrayEquals(photo.pixels, out.bytes.copyOf(out.size))
    }

    @Test
    fun `raw integers are dequantized and quantized anew for another quantization`() {
        val first = stage("a", listOf(tensor("x", DType.UINT8, pixels)), listOf(tensor("y", DType.INT8, pixels, half)))
        val coarse = tensor("x", DType.INT8, pixels, Quantization(1f, 10))
        val second = stage("b", listOf(coarse), listOf(coarse))
        val out = chained(first, second)
        // real = (q + 1) / 2 of 0, 1, 127, −128, −2, −1; rounded half to even, plus 10.
        assertArrayEquals(byteArrayOf(10, 11, 74, -54, 10, 10), out.bytes.copyOf(out.size))
    }

    @Test
    fun `raw uint8 of the same scale and zero point is no pixels to an int8 input`() {
        val first =
            stage("a", listOf(tensor("x", DType.UINT8, pixels)), listOf(tensor("y", DType.UINT8, pixels, half)))
        val second =
            stage("b", listOf(tensor("x", DType.INT8, pixels, half)), listOf(tensor("y", DType.INT8, pixels, half)))
        val out = chained(first, second)
        // Equal reals have equal raw numbers, as far as int8 holds them: 0, 1, 127, 128, 254, 255.
        assertArrayEquals(byteArrayOf(0, 1, 127, 127, 127, 127), out.bytes.copyOf(out.size))
    }

    @Test
    fun `a value without a rule for the tensor is refused, naming node and tensor`() {
        val stage = stage("a", listOf(tensor("x", DType.FLOAT32, pixels)), listOf(tensor("y", DType.FLOAT32, pixels)))
        val error = assertThrows(RunException::class.java) {
            run(
                listOf(toTensor, model(stage, "t", "y")),
                stage to ::copy,
            )
        }
        assertTrue(error.message!!.startsWith("node 'a/model': input 'x' takes float32"), error.message)
    }

    @Test
    fun `a value of another shape is refused`() {
        val stage =
            stage("a", listOf(tensor("x", DType.UINT8, listOf(1, 2, 1, 3))), listOf(tensor("y", DType.UINT8, pixels)))
        assertThrows(RunException::class.java) { run(listOf(toTensor, model(stage, "t", "y")), stage to ::copy) }
    }

    @Test
    fun `a node that returns to an earlier stage is timed with the one it stands in`() {
        val one = stage("a", listOf(tensor("x", DType.UINT8, pixels)), listOf(tensor("y", DType.UINT8, pixels)))
        val other = one.copy(name = "b")
        val again = model(one, "v", "w").copy(name = "again")
        val nodes = listOf(toTensor.copy(stage = null), model(one, "t", "u"), model(other, "u", "v"), again)
        val graph = run(nodes, one to ::copy, other to ::copy)
        assertEquals(listOf("a", "b"), graph.stages)
        val heard = ArrayList<Pair<Int, StageMark>>()
        graph.run(photo) { stage, mark, _ -> heard += stage to mark }
        assertEquals(1, heard.count { it == 0 to StageMark.RUN_READY })
        assertEquals(2, heard.count { it == 1 to StageMark.RUN_READY })
        assertEquals(heard.sortedBy { it.first }, heard)
        assertEquals(1 to StageMark.POST_END, heard.last())
    }

    @Test
    fun `attributes that an operation does not take are refused before anything runs`() {
        val wrong = toTensor.copy(attributes = mapOf("scale" to Json.Number("2")))
        assertTrue(
            assertThrows(GraphException::class.java) {
                run(listOf(wrong))
            }.message!!.startsWith("node 'to_tensor'"),
        )
    }

    @Test
    fun `a loop feeds its state back and writes its constants again where a run does not keep them`() {
        for (keepsInputs in listOf(true, false)) {
            val graph = loop(keepsInputs, emptyMap())
            assertEquals(listOf(3, 3, 3), (graph.value("tokens") as Tokens).let { it.ids.take(it.count) })
            assertTrue((graph.value("score") as Score).score < 0)
        }
    }

    @Test
    fun `a loop whose attributes do not fit its stage is refused`() {
        val wrong = mapOf(
            "token" to Json.Text("memory"),
            "logits" to Json.Text("nothing"),
            "state" to Json.Object(mapOf("state" to Json.Text("nothing"))),
            "constants" to Json.Array(emptyList()),
            "max_tokens" to Json.Number("0"),
            "beam" to Json.Number("1.0"),
            "other" to Json.Null,
        )
        for (change in wrong) {
            assertThrows(GraphException::class.java, { loop(true, mapOf(change.toPair())) }, change.key)
        }
    }

    /** The model counts its steps in its state; its logits favour the constant's value for 3 steps, then the end. */
    private fun loop(keepsInputs: Boolean, changed: Map<String, Json>): PreparedGraph {
        val source = stage("a", listOf(tensor("x", DType.UINT8, pixels)), listOf(tensor("m", DType.FLOAT32, listOf(1))))
        val decode = stage(
            "b",
            listOf(
                tensor("token", DType.INT64, listOf(1, 1)),
                tensor("state", DType.INT8, listOf(1), Quantization(1f, 5)),
                tensor("memory", DType.FLOAT32, listOf(1)),
            ),
            listOf(
                tensor("logits", DType.FLOAT32, listOf(1, 4)),
                tensor("next", DType.INT8, listOf(1), Quantization(1f, 5)),
            ),
        )
        val attributes = mapOf(
            "token" to Json.Text("token"),
            "constants" to Json.Array(listOf(Json.Text("memory"))),
            "state" to Json.Object(mapOf("state" to Json.Text("next"))),
            "logits" to Json.Text("logits"),
            "start" to Json.Number("1"),
            "end" to Json.Number("2"),
            "max_tokens" to Json.Number("9"),
            "beam" to Json.Number("1"),
        ) + changed
        val nodes = listOf(
            toTensor,
            model(source, "t", "m"),
            Node("loop", "autoregressive_decode", "b", false, listOf("m"), listOf("tokens", "score"), attributes),
        )
        val step = FakeModel(decode, keepsInputs) { inputs, outputs ->
            val steps = inputs[1].get(0) - 5
            assertEquals(if (steps == 0) 1L else 3L, inputs[0].getLong(0))
            val wanted = if (steps < 3) inputs[2].getFloat(0).toInt() else 2
            for (token in 0 until 4) outputs[0].putFloat(4 * token, if (token == wanted) 5f else 0f)
            outputs[1].put(0, (inputs[1].get(0) + 1).toByte())
        }
        val models = mapOf(
            "a" to (source to FakeModel(source) { _, outputs -> outputs[0].putFloat(0, 3f) }),
            "b" to (decode to step),
        )
        return prepared(nodes, models).also { it.run(photo, StageListener.None) }
    }

    private val toTensor = Node("to_tensor", "to_tensor", "a", false, listOf("photo"), listOf("t"), emptyMap())

    private fun model(stage: StageSpec, input: String, output: String) =
        Node("${stage.name}/model", "model", stage.name, false, listOf(input), listOf(output), emptyMap())

    private fun run(
        nodes: List<Node>,
        vararg models: Pair<StageSpec, (List<ByteBuffer>, List<ByteBuffer>) -> Unit>,
    ): PreparedGraph {
        val loaded = models.associate { (stage, compute) ->
            stage.name to (stage to FakeModel(stage, compute = compute))
        }
        return prepared(nodes, loaded).also { it.run(photo, StageListener.None) }
    }

    private fun prepared(nodes: List<Node>, models: Map<String, Pair<StageSpec, FakeModel>>): PreparedGraph {
        val checked = CheckedGraph.of(Graph(nodes, emptyList()), models.values.map { it.first }, emptyMap())
        return PreparedGraph(checked, models, { error("no labels") }, MonotonicClock.System)
    }

    private fun copy(inputs: List<ByteBuffer>, outputs: List<ByteBuffer>) {
        for (i in 0 until outputs[0].capacity()) outputs[0].put(i, inputs[0].get(i))
    }
}
