package org.litebundle.core.graph

import org.litebundle.core.bundle.TensorSpec
import org.litebundle.core.glue.GlueException
import org.litebundle.core.glue.dequantize
import org.litebundle.core.glue.pixelsAs
import org.litebundle.core.glue.quantize
import org.litebundle.core.value.DType
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** An input of a model: brings values over its border (docs/glue.md, "The border of a quantized model"). */
internal class InputPort(private val tensor: TensorSpec, memory: ByteBuffer) {
    private val memory = TensorMemory(memory)
    private val shape = tensor.shape.toIntArray()
    private val raw = Tensor()
    private val plain = Plain()

    /** Throws [GlueException] if no rule makes the tensor's numbers of [value]. */
    fun write(value: Tensor) {
        if (!value.shape.contentEquals(shape)) refuse(value)
        val quantization = tensor.quantization
        val isSame = value.quantization == quantization && value.dtype == tensor.dtype
        if (value.quantization != null && !isSame) return write(plain.of(value) as Tensor)
        when {
            value.dtype == tensor.dtype -> memory.put(value)

            quantization == null -> refuse(value)

            value.dtype == DType.UINT8 -> {
                raw.reshape(tensor.dtype, shape)
                pixelsAs(value.bytes, value.size, tensor.dtype, raw.bytes)
                memory.put(raw)
            }

            value.dtype == DType.FLOAT32 -> {
                raw.reshape(tensor.dtype, shape)
                quantize(value.floats, value.size, quantization, tensor.dtype, raw.bytes)
                memory.put(raw)
            }

            else -> refuse(value)
        }
    }

    private fun refuse(value: Tensor): Nothing = throw GlueException(
        "input '${tensor.name}' takes ${tensor.dtype.id} ${tensor.shape}, and no rule makes that of a value of " +
            "${value.dtype.id} ${value.shape.contentToString()}; change the glue before it or the input's type",
    )
}

/** An output of a model: raw numbers become a value, which remembers their quantization. */
internal class OutputPort(private val tensor: TensorSpec, memory: ByteBuffer) {
    private val memory = TensorMemory(memory)
    private val shape = tensor.shape.toIntArray()

    fun read(value: Tensor) {
        value.reshape(tensor.dtype, shape)
        value.quantization = tensor.quantization
        memory.get(value)
    }
}

/** A value as glue sees it: real numbers in place of raw integers. One is good for one value at a time. */
internal class Plain {
    private val real = Tensor()

    fun of(value: Value): Value {
        if (value !is Tensor) return value
        val quantization = value.quantization ?: return value
        real.reshape(DType.FLOAT32, value.shape)
        dequantize(value.bytes, value.size, quantization, value.dtype, real.floats)
        return real
    }
}

/** Elements of tensors in an engine's memory, in C order, native byte order (float16: little-endian). */
internal class TensorMemory(memory: ByteBuffer) {
    private val bytes = memory.duplicate().order(ByteOrder.nativeOrder())
    private val floats = bytes.asFloatBuffer()
    private val ints = bytes.asIntBuffer()
    private val longs = bytes.asLongBuffer()

    fun put(from: Tensor) {
        when (from.dtype) {
            DType.FLOAT32 -> start(floats).put(from.floats, 0, from.size)
            DType.INT32 -> start(ints).put(from.ints, 0, from.size)
            DType.INT64 -> start(longs).put(from.longs, 0, from.size)
            else -> start(bytes).put(from.bytes, 0, from.size * from.dtype.bytes)
        }
    }

    fun get(into: Tensor) {
        when (into.dtype) {
            DType.FLOAT32 -> start(floats).get(into.floats, 0, into.size)
            DType.INT32 -> start(ints).get(into.ints, 0, into.size)
            DType.INT64 -> start(longs).get(into.longs, 0, into.size)
            else -> start(bytes).get(into.bytes, 0, into.size * into.dtype.bytes)
        }
    }

    // ByteBuffer.position of Android before 9 is Buffer's.
    private fun <B : java.nio.Buffer> start(buffer: B): B = buffer.also { it.position(0) }
}
