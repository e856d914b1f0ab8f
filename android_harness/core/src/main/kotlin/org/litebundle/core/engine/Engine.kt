package org.litebundle.core.engine

import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.StageSpec
import java.nio.ByteBuffer

/** Why an engine cannot run a model, in words that name the stage. */
class EngineException(message: String, cause: Throwable? = null) : Exception(message, cause)

/** A runtime for `.tflite` models. */
interface Engine : AutoCloseable {
    /** Name and version, as reports show it. */
    val name: String

    /**
     * Load a stage's model from [flatbuffer], a direct buffer that is not copied and must stay as it is until the
     * model is closed.
     *
     * Throws [EngineException] if the flatbuffer does not verify, its tensors are not those that [stage] lists (number,
     * order, name, dtype, shape, scale and zero point), or a strict policy cannot be held.
     */
    fun load(flatbuffer: ByteBuffer, stage: StageSpec): Model
}

/** A loaded model. One thread at a time. */
interface Model : AutoCloseable {
    /** Where the model really runs. */
    val residency: Residency

    /**
     * Memory of the inputs, in the order of the stage's tensors: direct, native byte order, raw values. It is the same
     * until [close]; the contents of an input are undefined after a run unless [keepsInputs].
     */
    val inputs: List<ByteBuffer>

    /** Memory of the outputs, as [inputs]; defined from [await] to the next [enqueue]. */
    val outputs: List<ByteBuffer>

    /** Whether inputs hold their values over a run, so that one that does not change need not be written again. */
    val keepsInputs: Boolean

    /** Start a run on what [inputs] hold. */
    fun enqueue()

    /** Wait until [outputs] can be read. Throws [EngineException] if the run failed. */
    fun await()
}

/** Where a model runs, and how that is known. */
sealed interface Residency {
    /** All of it on [accelerator]; [proof] says what showed that. */
    data class Proven(val accelerator: Accelerator, val proof: String) : Residency

    /** Not known to run on [wanted]; [reason] says why. A number measured so is no headline. */
    data class Unproven(val wanted: Accelerator, val reason: String) : Residency
}
