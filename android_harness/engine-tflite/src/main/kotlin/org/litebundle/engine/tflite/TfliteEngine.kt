package org.litebundle.engine.tflite

import org.bytedeco.javacpp.Loader
import org.bytedeco.tensorflowlite.global.tensorflowlite
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.Engine
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import java.nio.ByteBuffer

/**
 * TensorFlow Lite with its XNNPACK kernels, on the CPU, through the C++ interface (the plain C interface runs other
 * kernels, which compute other bits). [threads] are those that one model may use.
 *
 * Throws [EngineException] if the native library is not there.
 */
class TfliteEngine(private val threads: Int = 1) : Engine {
    init {
        require(threads > 0) { "a model needs at least one thread, not $threads" }
        try {
            Loader.load(tensorflowlite::class.java)
        } catch (error: LinkageError) {
            throw EngineException(
                "libjnitensorflowlite.so is not there for ${Loader.getPlatform()}; pack it into the app (lib/<abi>), " +
                    "or put org.bytedeco:tensorflow-lite with that classifier on the class path",
                error,
            )
        }
    }

    override val name: String = "TensorFlow Lite ${tensorflowlite.TfLiteVersion().string}, XNNPACK"

    override fun load(flatbuffer: ByteBuffer, stage: StageSpec): Model =
        TfliteModel(flatbuffer, stage, threads, residency(stage))

    /** Nothing of this engine's leaves the CPU, so there it is proven, and elsewhere it cannot be. */
    private fun residency(stage: StageSpec): Residency {
        val (order, strict) = stage.accelerators
        val wanted = order.firstOrNull() ?: Accelerator.CPU
        if (wanted == Accelerator.CPU) return Residency.Proven(wanted, "$name has no accelerator delegate")
        if (strict && Accelerator.CPU !in order) {
            throw EngineException(
                "stage '${stage.name}' may run only on ${order.joinToString { it.id }}, and $name runs on the CPU; " +
                    "take an engine with that accelerator, or allow the stage to fall back",
            )
        }
        return Residency.Unproven(wanted, "fell back to the CPU: $name has no accelerator delegate")
    }

    override fun close() = Unit
}
