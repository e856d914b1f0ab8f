package org.litebundle.engine.tflite

import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.Engine
import org.litebundle.core.engine.Model
import org.litebundle.core.value.DType
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** The outputs of one run of a stage's model, as real values in C order. */
internal class RecordedRun(val stage: StageSpec, val outputs: List<DoubleArray>)

/** Passes everything on to [engine] and writes down what its models computed. */
internal class RecordingEngine(private val engine: Engine) : Engine by engine {
    val runs = ArrayList<RecordedRun>()

    override fun load(flatbuffer: ByteBuffer, stage: StageSpec): Model {
        val model = engine.load(flatbuffer, stage)
        return object : Model by model {
            override fun await() {
                model.await()
                runs += RecordedRun(stage, stage.outputs.zip(model.outputs) { spec, memory -> reals(spec, memory) })
            }
        }
    }

    private fun reals(spec: TensorSpec, memory: ByteBuffer): DoubleArray {
        val raw = memory.duplicate().order(ByteOrder.nativeOrder())
        val quantization = spec.quantization
        return DoubleArray(spec.shape.fold(1, Int::times)) { i ->
            when {
                spec.dtype == DType.FLOAT32 -> raw.getFloat(Float.SIZE_BYTES * i).toDouble()

                quantization != null -> (
                    (
                        integer(
                            spec,
                            raw,
                            i,
                        ) - quantization.zeroPoint
                        ) * quantization.scale
                    ).toDouble()

                else -> error("${spec.name}: no bundle of these tests gives ${spec.dtype.id}")
            }
        }
    }

    private fun integer(spec: TensorSpec, raw: ByteBuffer, i: Int): Int =
        if (spec.dtype == DType.UINT8) raw.get(i).toUByte().toInt() else raw.get(i).toInt()
}
