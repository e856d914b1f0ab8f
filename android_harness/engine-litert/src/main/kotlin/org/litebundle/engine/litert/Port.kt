package org.litebundle.engine.litert

import com.google.ai.edge.litert.TensorBuffer
import com.google.ai.edge.litert.TensorType.ElementType
import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.engine.EngineException
import org.litebundle.core.value.DType
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * A tensor on both sides: [memory], which a stage graph reads and writes, and LiteRT's buffer, which takes and gives
 * arrays only.
 */
internal class Port(spec: TensorSpec, private val buffer: TensorBuffer) : AutoCloseable by buffer {
    private val name = spec.name
    private val dtype = spec.dtype
    private val size = spec.shape.fold(1, Math::multiplyExact)
    val memory: ByteBuffer = ByteBuffer.allocateDirect(size * dtype.bytes).order(ByteOrder.nativeOrder())
    private val floats = FloatArray(if (dtype == DType.FLOAT32) size else 0)
    private val ints = IntArray(if (dtype == DType.INT32) size else 0)
    private val longs = LongArray(if (dtype == DType.INT64) size else 0)
    private val booleans = BooleanArray(if (dtype == DType.BOOL) size else 0)
    private val bytes = ByteArray(if (dtype == DType.INT8 || dtype == DType.UINT8) size else 0)

    private fun start() = memory.duplicate().order(ByteOrder.nativeOrder()).also { (it as java.nio.Buffer).clear() }

    fun write() = when (dtype) {
        DType.FLOAT32 -> {
            start().asFloatBuffer().get(floats)
            buffer.writeFloat(floats)
        }

        DType.INT32 -> {
            start().asIntBuffer().get(ints)
            buffer.writeInt(ints)
        }

        DType.INT64 -> {
            start().asLongBuffer().get(longs)
            buffer.writeLong(longs)
        }

        DType.BOOL -> {
            for (i in 0 until size) booleans[i] = memory.get(i) != 0.toByte()
            buffer.writeBoolean(booleans)
        }

        // Bytes are bytes to writeInt8.
        DType.INT8, DType.UINT8 -> {
            start().get(bytes)
            buffer.writeInt8(bytes)
        }

        DType.FLOAT16 -> unreachable()
    }

    fun read() {
        val target = start()
        when (dtype) {
            DType.FLOAT32 -> target.asFloatBuffer().put(buffer.readFloat())
            DType.INT32 -> target.asIntBuffer().put(buffer.readInt())
            DType.INT64 -> target.asLongBuffer().put(buffer.readLong())
            DType.BOOL -> buffer.readBoolean().forEach { target.put(if (it) 1 else 0) }
            DType.INT8, DType.UINT8 -> target.put(whole(buffer.readInt8()))
            DType.FLOAT16 -> unreachable()
        }
    }

    /** Of a uint8 tensor LiteRT's Kotlin interface tells nothing before it is read: its size alone can be checked. */
    private fun whole(read: ByteArray): ByteArray {
        if (read.size != size) {
            throw EngineException(
                "tensor '$name': the model has ${read.size} values, the manifest says $size; " +
                    "the bundle's model and manifest do not belong together",
            )
        }
        return read
    }

    private fun unreachable(): Nothing = throw IllegalStateException("float16 was refused at load")

    companion object {
        /** LiteRT's name of a type, null where it has none: then it tells neither type nor shape. */
        fun elementType(dtype: DType): ElementType? = when (dtype) {
            DType.FLOAT32 -> ElementType.FLOAT
            DType.INT32 -> ElementType.INT
            DType.INT64 -> ElementType.INT64
            DType.BOOL -> ElementType.BOOLEAN
            DType.INT8 -> ElementType.INT8
            DType.UINT8, DType.FLOAT16 -> null
        }
    }
}
