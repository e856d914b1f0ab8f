package org.litebundle.engine.litert

import com.google.ai.edge.litert.CompiledModel
import com.google.ai.edge.litert.Environment
import com.google.ai.edge.litert.LiteRtException
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.Engine
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import java.io.File
import java.nio.ByteBuffer
import com.google.ai.edge.litert.Accelerator as LitertAccelerator

/**
 * LiteRT's compiled models, on the accelerators that a stage's policy names.
 *
 * Residency is proven by compiling for one accelerator alone: without leave to use the CPU, LiteRT refuses a model of
 * which an operator is left over (device-only: litert-accelerators). [folder] (the app's cache folder) takes the models,
 * since LiteRT opens files.
 */
class LitertEngine(private val folder: File) : Engine {
    private val environment = Environment.create(emptyMap())

    /** LiteRT's Kotlin interface does not tell its version: it is that of the app's build. */
    override val name: String = "LiteRT 2 CompiledModel"

    override fun load(flatbuffer: ByteBuffer, stage: StageSpec): Model {
        val file = modelFile(folder, flatbuffer, stage)
        val (order, strict) = stage.accelerators
        val refusals = ArrayList<String>()
        for (accelerator in order.ifEmpty { listOf(Accelerator.CPU) }) {
            val compiled = compile(file, accelerator, refusals) ?: continue
            return LitertModel(compiled, stage, Residency.Proven(accelerator, "$name, compiled for it alone"))
        }
        val tried = refusals.joinToString("; ")
        if (strict || Accelerator.CPU in order) {
            throw EngineException(
                "stage '${stage.name}': LiteRT compiles it for none of ${order.map { it.id }} ($tried); " +
                    "allow the stage to fall back, or build it for this phone",
            )
        }
        val compiled = compile(file, Accelerator.CPU, refusals)
            ?: throw EngineException("stage '${stage.name}': LiteRT cannot compile it at all (${refusals.last()})")
        return LitertModel(compiled, stage, Residency.Unproven(order.first(), "fell back to the CPU: $tried"))
    }

    private fun compile(file: File, accelerator: Accelerator, refusals: MutableList<String>): CompiledModel? = try {
        CompiledModel.create(file.path, CompiledModel.Options(alone(accelerator)), environment)
    } catch (error: LiteRtException) {
        refusals += "${accelerator.id}: ${error.message}"
        null
    }

    /** LiteRT's Kotlin interface adds the CPU to a set of the NPU only; NONE beside it stands for nothing. */
    private fun alone(accelerator: Accelerator): Set<LitertAccelerator> = when (accelerator) {
        Accelerator.NPU -> setOf(LitertAccelerator.NPU, LitertAccelerator.NONE)
        Accelerator.GPU -> setOf(LitertAccelerator.GPU)
        Accelerator.CPU -> setOf(LitertAccelerator.CPU)
    }

    override fun close() = environment.close()
}
