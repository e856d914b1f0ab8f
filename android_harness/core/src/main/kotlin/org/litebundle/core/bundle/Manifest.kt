package org.litebundle.core.bundle

import org.litebundle.core.graph.Graph
import org.litebundle.core.json.Json
import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization

/** What a reader uses of `manifest.json` (docs/bundle.md, "Manifest"). */
data class Manifest(
    val formatVersion: String,
    val identity: Identity,
    val stages: List<StageSpec>,
    val graph: Graph,
    val requirements: Map<String, Json>,
    val golden: Golden,
    val files: Map<String, FileDigest>,
) {
    /** What [requirement] asks at most; null: nothing. */
    fun limit(requirement: String): Double? = (requirements[requirement] as? Json.Number)?.value
}

data class Identity(val name: String, val version: String, val summary: String, val licence: String)

/** Size in bytes, SHA-256 in lower-case hexadecimal. */
data class FileDigest(val sha256: String, val sizeBytes: Long)

data class StageSpec(
    val name: String,
    val file: String,
    val sha256: String,
    val sizeBytes: Long,
    val precision: String,
    val signature: String?,
    val inputs: List<TensorSpec>,
    val outputs: List<TensorSpec>,
    val accelerators: Accelerators,
)

data class TensorSpec(
    val name: String,
    val dtype: DType,
    val shape: List<Int>,
    val layout: String,
    val quantization: Quantization?,
)

enum class Accelerator(val id: String) { NPU("npu"), GPU("gpu"), CPU("cpu") }

/** [order]: best first. [strict]: nowhere else; otherwise on the CPU if none of them can. */
data class Accelerators(val order: List<Accelerator>, val strict: Boolean)

/** Tolerances are greatest absolute differences, in real units for tensors; files are names in the bundle. */
data class Golden(val stages: List<StageGolden>, val pipeline: PipelineGolden)

data class StageGolden(val stage: String, val tolerance: Map<String, Double>, val vectors: List<StageVector>)

/** Tensor name → file with its raw values. */
data class StageVector(val inputs: Map<String, String>, val outputs: Map<String, String>)

data class PipelineGolden(val tolerance: Map<String, Double>, val vectors: List<PipelineVector>)

/** A PNG, and the JSON list of result items expected in it. */
data class PipelineVector(val photo: String, val items: String)
