@file:Suppress("MatchingDeclarationName")

package com.google.ai.edge.litert

import java.io.File

/** What stands behind the fake classes of this folder, which hide the signatures of the same names in tests. */
class FakePhone(
    /** Those for which it compiles a model. */
    val takes: Set<Accelerator>,
    val inputs: Map<String, TensorType>,
    val outputs: Map<String, TensorType>,
    /** Input arrays by name → output arrays by name. */
    val compute: (Map<String, Any>) -> Map<String, Any> = { emptyMap() },
) {
    /** The sets of accelerators that models were compiled for, and the content of each model's file. */
    val asked = ArrayList<Set<Accelerator>>()
    val files = ArrayList<List<Byte>>()
    var open = 0

    companion object {
        lateinit var now: FakePhone
    }
}

enum class Accelerator { NONE, CPU, GPU, NPU }

enum class Status { Ok }

class LiteRtException(status: Status, message: String) : Exception("$message ($status)")

abstract class JniHandle : AutoCloseable {
    private var closed = false

    init {
        FakePhone.now.open++
    }

    final override fun close() {
        check(!closed) { "closed twice" }
        closed = true
        FakePhone.now.open--
    }
}

class Environment private constructor() : JniHandle() {
    enum class Option { CompilerPluginLibraryDir, DispatchLibraryDir }

    companion object {
        @JvmStatic
        fun create(options: Map<Option, String> = mapOf()): Environment =
            Environment().also { check(options.isEmpty()) }
    }
}

data class TensorType(val elementType: ElementType, val layout: Layout? = null) {
    enum class ElementType { INT, FLOAT, INT8, BOOLEAN, INT64 }

    data class Layout(val dimensions: List<Int>, val strides: List<Int> = listOf())
}

class TensorBuffer : JniHandle() {
    var content: Any? = null

    fun writeInt(data: IntArray) = write(data.copyOf())

    fun writeFloat(data: FloatArray) = write(data.copyOf())

    fun writeInt8(data: ByteArray) = write(data.copyOf())

    fun writeBoolean(data: BooleanArray) = write(data.copyOf())

    fun writeLong(data: LongArray) = write(data.copyOf())

    private fun write(array: Any) {
        content = array
    }

    fun readInt() = content as IntArray

    fun readFloat() = content as FloatArray

    fun readInt8() = content as ByteArray

    fun readBoolean() = content as BooleanArray

    fun readLong() = content as LongArray
}

class CompiledModel private constructor() : JniHandle() {
    class Options(val accelerators: Set<Accelerator>)

    private fun typeOf(types: Map<String, TensorType>, name: String) =
        types[name] ?: throw LiteRtException(Status.Ok, "no tensor $name")

    fun createInputBuffer(inputName: String, signature: String = "") = TensorBuffer().also {
        check(signature == SIGNATURE)
    }

    fun createOutputBuffer(outputName: String, signature: String = "") =
        TensorBuffer().also { check(signature == SIGNATURE) }

    fun getInputTensorType(inputName: String, signature: String = "") =
        typeOf(FakePhone.now.inputs, inputName).also { check(signature == SIGNATURE) }

    fun getOutputTensorType(outputName: String, signature: String = "") =
        typeOf(FakePhone.now.outputs, outputName).also { check(signature == SIGNATURE) }

    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String = "") {
        check(signature == SIGNATURE)
        val computed = FakePhone.now.compute(inputs.mapValues { it.value.content!! })
        if (computed.isEmpty()) throw LiteRtException(Status.Ok, "the driver gave up")
        for ((name, buffer) in outputs) buffer.content = computed.getValue(name)
    }

    companion object {
        const val SIGNATURE = "serving_default"

        @JvmStatic
        fun create(filePath: String, options: Options, optionalEnv: Environment? = null): CompiledModel {
            checkNotNull(optionalEnv)
            val phone = FakePhone.now
            phone.asked += options.accelerators
            phone.files += File(filePath).readBytes().toList()
            if (options.accelerators.none(phone.takes::contains)) {
                throw LiteRtException(Status.Ok, "Some ops are not accelerated")
            }
            return CompiledModel()
        }
    }
}
