package org.litebundle.core.bundle

import org.litebundle.core.graph.Graph
import org.litebundle.core.graph.Node
import org.litebundle.core.graph.ResultField
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed
import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization
import java.nio.ByteBuffer

/**
 * Reads `manifest.json` as docs/manifest.schema.json defines it: every value that the schema names is checked, also
 * those that a reader has no use for; keys that it does not name are ignored.
 */
internal object ManifestReader {
    private const val MAJOR = 1
    private val version = Regex("([0-9]{1,6})\\.[0-9]{1,6}")
    private val digest = Regex("[0-9a-f]{64}")
    private val precisions = setOf("none", "fp16", "int8_weights", "int8_dynamic", "int8")
    private val verdicts = setOf("pass", "fail", "not_enough_samples", "not_measured")

    /** Throws [BundleException]: no JSON, another major version, or a value that breaks the schema. */
    fun read(bytes: ByteBuffer): Manifest = try {
        val document = Placed(Json.parse(bytes))
        readManifest(document, checkVersion(document))
    } catch (error: JsonException) {
        throw BundleException("file '$MANIFEST': ${error.message}; build the bundle again")
    }

    private fun checkVersion(document: Placed): String {
        val given = document["format_version"].text()
        val major = version.matchEntire(given)?.groupValues?.get(1)
            ?: document["format_version"].fail("must be a version such as '$MAJOR.0'")
        if (major.toInt() != MAJOR) {
            throw BundleException(
                "file '$MANIFEST': format version $given is not known, this reads $MAJOR.x; use the litebundle that " +
                    "made it, or build it again",
            )
        }
        return given
    }

    private fun readManifest(document: Placed, formatVersion: String): Manifest {
        document.optional("verdicts")?.list(::checkVerdict)
        return Manifest(
            formatVersion = formatVersion,
            identity = readIdentity(document["identity"]),
            stages = document["stages"].list(::readStage),
            graph = readGraph(document["graph"]),
            requirements = document.optional("requirements")?.map { it.json }.orEmpty(),
            golden = readGolden(document.optional("golden")),
            files = readFiles(document.optional("files")),
        )
    }

    private fun readIdentity(identity: Placed): Identity {
        identity.optional("source_commit")?.orNull()?.text()
        identity.optional("tools")?.map { it.text() }
        identity.optional("configuration")?.orNull()?.let(::readDigest)
        identity.optional("weights")?.map(::readDigest)
        identity.optional("data_sets")?.map(::readDigest)
        return Identity(
            name = identity["name"].text(),
            version = identity["version"].text(),
            summary = identity["summary"].text(),
            licence = identity["licence"].text(),
        )
    }

    private fun readStage(stage: Placed) = StageSpec(
        name = stage["name"].text(),
        file = readFileName(stage["file"]),
        sha256 = readDigest(stage["sha256"]),
        sizeBytes = readBytes(stage["size_bytes"]),
        precision = readOneOf(stage["precision"], precisions),
        signature = stage["signature"].orNull()?.text(),
        inputs = stage["inputs"].list(::readTensor),
        outputs = stage["outputs"].list(::readTensor),
        accelerators = readAccelerators(stage.optional("accelerators")),
    )

    private fun readTensor(tensor: Placed): TensorSpec {
        tensor.optional("value_range")?.orNull()?.let { range ->
            if (range.list { it.number() }.size != 2) range.fail("must be two numbers")
        }
        tensor.optional("axis")?.orNull()?.whole(Int.MIN_VALUE.toLong(), Int.MAX_VALUE.toLong())
        return TensorSpec(
            name = tensor["name"].text(),
            dtype = DType.of(tensor["dtype"].text()) ?: tensor["dtype"].fail("is no element type"),
            shape = tensor["shape"].list { it.whole(0, Int.MAX_VALUE.toLong()).toInt() },
            layout = tensor.optional("layout")?.text().orEmpty(),
            quantization = readQuantization(tensor),
        )
    }

    private fun readQuantization(tensor: Placed): Quantization? {
        val scale = tensor.optional("scale")?.orNull()
        val zeroPoint = tensor.optional("zero_point")?.orNull()
        if (scale == null && zeroPoint == null) return null
        if (scale == null || zeroPoint == null) tensor.fail("must have both of scale and zero_point, or neither")
        if (tensor["dtype"].text() !in setOf("int8", "uint8")) tensor.fail("has a scale, but only int8 and uint8 do")
        val float = scale.number().toFloat()
        if (!(float > 0 && float.isFinite())) scale.fail("must be a positive float32")
        return Quantization(float, zeroPoint.whole(Int.MIN_VALUE.toLong(), Int.MAX_VALUE.toLong()).toInt())
    }

    private fun readAccelerators(accelerators: Placed?): Accelerators {
        val order = accelerators?.optional("order")
        val policy = accelerators?.optional("policy")
        val places = order?.list { place ->
            Accelerator.entries.find { it.id == place.text() } ?: place.fail("is no accelerator")
        }
        if (places?.isEmpty() == true) order.fail("must name an accelerator")
        return Accelerators(
            order = places ?: listOf(Accelerator.CPU),
            strict = policy == null || readOneOf(policy, setOf("strict", "allow_fallback")) == "strict",
        )
    }

    private fun readGraph(graph: Placed) = Graph(
        nodes = graph["nodes"].list { node ->
            Node(
                name = node["name"].text(),
                op = node["op"].text(),
                stage = node["stage"].orNull()?.text(),
                each = node["each"].flag(),
                inputs = node["inputs"].list { it.text() },
                outputs = node["outputs"].list { it.text() },
                attributes = node["attributes"].map { it.json },
            )
        },
        results = graph["results"].list { ResultField(it["field"].text(), it["value"].text()) },
    )

    private fun readGolden(golden: Placed?) = Golden(
        stages = golden?.optional("stages")?.list { stage ->
            StageGolden(
                stage = stage["stage"].text(),
                tolerance = stage["tolerance"].map(::readTolerance),
                vectors = stage["vectors"].list { vector ->
                    StageVector(vector["inputs"].map(::readFileName), vector["outputs"].map(::readFileName))
                },
            )
        }.orEmpty(),
        pipeline = readPipelineGolden(golden?.optional("pipeline")),
    )

    private fun readPipelineGolden(pipeline: Placed?) = PipelineGolden(
        tolerance = pipeline?.optional("tolerance")?.map(::readTolerance).orEmpty(),
        vectors = pipeline?.optional("vectors")?.list { vector ->
            PipelineVector(readFileName(vector["photo"]), readFileName(vector["items"]))
        }.orEmpty(),
    )

    private fun readFiles(files: Placed?): Map<String, FileDigest> =
        files?.map { FileDigest(readDigest(it["sha256"]), readBytes(it["size_bytes"])) }.orEmpty()

    private fun checkVerdict(verdict: Placed) {
        verdict["requirement"].text()
        readOneOf(verdict["verdict"], verdicts)
        verdict.optional("stage")?.orNull()?.text()
        verdict.optional("metric")?.orNull()?.text()
        verdict.optional("unit")?.text()
        for (key in listOf("limit", "measured", "low", "high")) verdict.optional(key)?.orNull()?.number()
        verdict.optional("samples")?.let(::readBytes)
    }

    private fun readTolerance(tolerance: Placed): Double =
        tolerance.number().also { if (it < 0) tolerance.fail("must not be negative") }

    private fun readFileName(name: Placed): String = name.text().ifEmpty { name.fail("must name a file") }

    private fun readDigest(text: Placed): String =
        text.text().also { if (!digest.matches(it)) text.fail("must be a SHA-256 in lower-case hexadecimal") }

    private fun readBytes(size: Placed): Long = size.whole(0, Int.MAX_VALUE.toLong())

    private fun readOneOf(text: Placed, allowed: Set<String>): String =
        text.text().also { if (it !in allowed) text.fail("must be one of ${allowed.joinToString()}") }
}
