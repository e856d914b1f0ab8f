/*
 * The part of LiteRT's Kotlin interface that engine-litert uses (com.google.ai.edge.litert:litert 2.2.0), as
 * signatures to compile against where Google's Maven repository is out of reach. Nothing of this is ever packed: an
 * app brings the real library.
 */
@file:Suppress("MatchingDeclarationName", "UnusedParameter", "UNUSED_PARAMETER")

package com.google.ai.edge.litert

private fun absent(): Nothing = throw NoClassDefFoundError("add com.google.ai.edge.litert:litert to the app")

enum class Accelerator { NONE, CPU, GPU, NPU }

enum class Status { Ok }

class LiteRtException(status: Status, message: String) : Exception(message)

abstract class JniHandle internal constructor() : AutoCloseable {
    final override fun close(): Unit = absent()
}

class Environment private constructor() : JniHandle() {
    enum class Option { CompilerPluginLibraryDir, DispatchLibraryDir }

    companion object {
        @JvmStatic
        fun create(options: Map<Option, String> = mapOf()): Environment = absent()
    }
}

data class TensorType(val elementType: ElementType, val layout: Layout? = null) {
    enum class ElementType { INT, FLOAT, INT8, BOOLEAN, INT64 }

    data class Layout(val dimensions: List<Int>, val strides: List<Int> = listOf())
}

class TensorBuffer internal constructor() : JniHandle() {
    fun writeInt(data: IntArray): Unit = absent()

    fun writeFloat(data: FloatArray): Unit = absent()

    fun writeInt8(data: ByteArray): Unit = absent()

    fun writeBoolean(data: BooleanArray): Unit = absent()

    fun writeLong(data: LongArray): Unit = absent()

    fun readInt(): IntArray = absent()

    fun readFloat(): FloatArray = absent()

    fun readInt8(): ByteArray = absent()

    fun readBoolean(): BooleanArray = absent()

    fun readLong(): LongArray = absent()
}

class CompiledModel private constructor() : JniHandle() {
    class Options(accelerators: Set<Accelerator>)

    fun createInputBuffer(inputName: String, signature: String = ""): TensorBuffer = absent()

    fun createOutputBuffer(outputName: String, signature: String = ""): TensorBuffer = absent()

    fun getInputTensorType(inputName: String, signature: String = ""): TensorType = absent()

    fun getOutputTensorType(outputName: String, signature: String = ""): TensorType = absent()

    fun run(inputs: Map<String, TensorBuffer>, outputs: Map<String, TensorBuffer>, signature: String = ""): Unit =
        absent()

    companion object {
        @JvmStatic
        fun create(filePath: String, options: Options, optionalEnv: Environment? = null): CompiledModel = absent()
    }
}
