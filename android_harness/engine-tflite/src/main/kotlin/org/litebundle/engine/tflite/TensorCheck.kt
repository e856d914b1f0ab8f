package org.litebundle.engine.tflite

import org.bytedeco.tensorflowlite.Interpreter
import org.bytedeco.tensorflowlite.StringIntMap
import org.bytedeco.tensorflowlite.TfLiteAffineQuantization
import org.bytedeco.tensorflowlite.TfLiteTensor
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteAffineQuantization
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteBool
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteFloat16
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteFloat32
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteInt32
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteInt64
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteInt8
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteUInt8
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.value.DType
import org.litebundle.core.value.Quantization

/** Holds a model's tensors to those that the manifest lists: docs/bundle.md, "Integrity", step 6. */
internal class TensorCheck(private val stage: StageSpec, private val interpreter: Interpreter) {
    private val names: Map<Int, String> = stage.signature?.let(::signatureNames).orEmpty()

    /** Throws [EngineException] for the first tensor that differs. */
    fun check() {
        val inputs = interpreter.inputs()
        val outputs = interpreter.outputs()
        check("input", inputs.limit().toInt(), stage.inputs) { inputs.get(it.toLong()) }
        check("output", outputs.limit().toInt(), stage.outputs) { outputs.get(it.toLong()) }
    }

    private fun check(role: String, count: Int, wanted: List<TensorSpec>, index: (Int) -> Int) {
        if (count != wanted.size) throw refused("the model has $count ${role}s, the manifest lists ${wanted.size}")
        for ((i, spec) in wanted.withIndex()) check("$role $i", spec, index(i))
    }

    private fun check(which: String, spec: TensorSpec, index: Int) {
        val tensor = interpreter.tensor(index)
        val name = names[index] ?: tensor.name().getString(Charsets.UTF_8)
        same(which, "name", name, spec.name)
        val title = "$which '$name'"
        same(title, "dtype", dtypes[tensor.type()]?.id ?: "TfLiteType ${tensor.type()}", spec.dtype.id)
        same(title, "shape", shape(tensor), spec.shape)
        same(title, "quantization", quantization(tensor, title), spec.quantization)
    }

    private fun same(title: String, property: String, found: Any?, wanted: Any?) {
        if (found != wanted) throw refused("$title of the model has $property $found, the manifest says $wanted")
    }

    private fun shape(tensor: TfLiteTensor): List<Int> {
        val sides = tensor.dims()
        return List(sides.size()) { sides.data(it) }
    }

    private fun quantization(tensor: TfLiteTensor, title: String): Quantization? {
        val stored = tensor.quantization()
        if (stored.type() != kTfLiteAffineQuantization) return null
        val affine = TfLiteAffineQuantization(stored.params())
        if (affine.scale().size() !=
            1
        ) {
            throw refused("$title is quantized per channel; inputs and outputs take one scale")
        }
        return Quantization(affine.scale().data(0), affine.zero_point().data(0))
    }

    private fun signatureNames(key: String): Map<Int, String> {
        val keys = interpreter.signature_keys()
        val found = List(keys.size().toInt()) { keys.get(it.toLong()).getString(Charsets.UTF_8) }
        if (key !in found) throw refused("the model has signatures $found, the manifest says '$key'")
        return byIndex(interpreter.signature_inputs(key)) + byIndex(interpreter.signature_outputs(key))
    }

    private fun byIndex(entries: StringIntMap): Map<Int, String> {
        val names = HashMap<Int, String>()
        val entry = entries.begin()
        val end = entries.end()
        while (!entry.equals(end)) {
            names[entry.second()] = entry.first()
            entry.increment()
        }
        return names
    }

    private fun refused(rule: String) =
        EngineException("stage '${stage.name}': $rule; the bundle's model and manifest do not belong together")

    private companion object {
        val dtypes = mapOf(
            kTfLiteFloat32 to DType.FLOAT32,
            kTfLiteFloat16 to DType.FLOAT16,
            kTfLiteInt8 to DType.INT8,
            kTfLiteUInt8 to DType.UINT8,
            kTfLiteInt32 to DType.INT32,
            kTfLiteInt64 to DType.INT64,
            kTfLiteBool to DType.BOOL,
        )
    }
}
