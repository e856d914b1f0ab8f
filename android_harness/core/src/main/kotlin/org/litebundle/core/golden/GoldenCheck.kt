package org.litebundle.core.golden

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.bundle.PipelineVector
import org.litebundle.core.bundle.StageGolden
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.StageVector
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.graph.RunException
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.png.Png
import org.litebundle.core.png.PngException
import org.litebundle.core.run.Runner
import org.litebundle.core.value.Image
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.abs

/**
 * One golden vector: greatest differences found and allowed, by output tensor or result field, in real units.
 *
 * [name] is the stage, or "pipeline", and the vector's number; [fault] says what differs, empty if nothing does.
 */
data class VectorCheck(
    val name: String,
    val maxAbs: Map<String, Double>,
    val tolerance: Map<String, Double>,
    val fault: String,
) {
    val passed get() = fault.isEmpty()
}

/**
 * Golden vectors of [bundle] on this machine (docs/bundle.md, "Golden vectors"), by the models of [runner].
 *
 * The runner's last result holds no longer afterwards.
 */
class GoldenCheck(private val bundle: Bundle, private val runner: Runner) {
    private val stages = bundle.manifest.stages.associateBy { it.name }

    /**
     * Run every vector of every stage, then every photo from end to end.
     *
     * Throws [BundleException] if a vector is not one that its stage could take: that is damage, not drift.
     */
    fun run(): List<VectorCheck> {
        val golden = bundle.manifest.golden
        val ofStages = golden.stages.flatMap { of -> of.vectors.mapIndexed { i, vector -> checkStage(of, vector, i) } }
        val pipeline = golden.pipeline
        return ofStages + pipeline.vectors.mapIndexed { i, vector -> checkPipeline(vector, pipeline.tolerance, i) }
    }

    /** What does not hold, one line per vector; empty: all hold. Throws as [run]. */
    fun failures(): List<String> = run().filterNot { it.passed }.map { "${it.name}: ${it.fault}" }

    private fun checkStage(golden: StageGolden, vector: StageVector, i: Int): VectorCheck {
        val name = "${golden.stage}/$i"
        val stage =
            stages[golden.stage] ?: throw BundleException("there are golden vectors, but no stage '${golden.stage}'")
        val inputs = stage.inputs.map { raw(vector.inputs, it) }
        val expected = stage.outputs.map { raw(vector.outputs, it) }
        val found = try {
            runModel(stage, inputs)
        } catch (error: EngineException) {
            return VectorCheck(name, emptyMap(), golden.tolerance, error.message.orEmpty())
        }
        val limits = stage.outputs.associate { it.name to (golden.tolerance[it.name] ?: 0.0) }
        val maxAbs = stage.outputs.indices.associate { k ->
            stage.outputs[k].name to maxAbs(stage.outputs[k], found[k], expected[k])
        }
        // A NaN is within no tolerance, and no comparison with it is true.
        val faults = maxAbs.filterNot { (output, off) -> off <= limits.getValue(output) }
        return VectorCheck(
            name,
            maxAbs,
            limits,
            faults.entries.joinToString("; ") { (output, off) ->
                "output '$output' is off by $off, allowed is ${limits[output]}"
            },
        )
    }

    private fun runModel(stage: StageSpec, inputs: List<ByteBuffer>): List<ByteBuffer> {
        val model = runner.model(stage.name)
        for ((memory, values) in model.inputs.zip(inputs)) memory.duplicate().put(values)
        model.enqueue()
        model.await()
        return model.outputs
    }

    private fun raw(files: Map<String, String>, tensor: TensorSpec): ByteBuffer {
        val name =
            files[tensor.name] ?: throw BundleException("a golden vector lacks a file for tensor '${tensor.name}'")
        val content = bundle.file(name)
        val sizeBytes = tensor.shape.fold(tensor.dtype.bytes, Int::times)
        if (content.remaining() != sizeBytes) {
            throw BundleException(
                "file '$name' has ${content.remaining()} bytes, but tensor '${tensor.name}', ${tensor.dtype.id} " +
                    "${tensor.shape}, takes $sizeBytes",
            )
        }
        return content
    }

    private fun maxAbs(tensor: TensorSpec, found: ByteBuffer, expected: ByteBuffer): Double {
        val a = RawNumbers(tensor, found)
        val b = RawNumbers(tensor, expected)
        var largest = 0.0
        for (i in 0 until tensor.shape.fold(1, Int::times)) largest = maxOf(largest, abs(a.real(i) - b.real(i)))
        return largest
    }

    private fun checkPipeline(vector: PipelineVector, tolerance: Map<String, Double>, i: Int): VectorCheck {
        val name = "pipeline/$i"
        val expected = items(vector.items)
        val found = try {
            runner.run(photo(vector.photo)).toJson().items.map { (it as Json.Object).members }
        } catch (error: RunException) {
            return VectorCheck(name, emptyMap(), tolerance, error.message.orEmpty())
        }
        val comparison = ItemComparison(found, expected, tolerance)
        return VectorCheck(name, comparison.maxAbs, tolerance, comparison.fault)
    }

    private fun items(name: String): List<Map<String, Json>> {
        val list = try {
            Json.parse(bundle.file(name)) as? Json.Array
        } catch (error: JsonException) {
            throw BundleException("file '$name' is no JSON: ${error.message}")
        }
        return list?.items?.map {
            (it as? Json.Object)?.members ?: throw BundleException("file '$name' has no objects")
        }
            ?: throw BundleException("file '$name' is no JSON list of objects")
    }

    private fun photo(name: String): Image = try {
        Png.decode(bundle.file(name))
    } catch (error: PngException) {
        throw BundleException("file '$name': ${error.message}")
    }
}
