package org.litebundle.core.glue

import org.litebundle.core.value.DType
import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value

private const val OP = "normalize"
private const val LEVELS = 256

internal val normalize = Operation(OP, listOf(Kind.IMAGE), listOf(Kind.TENSOR)) { attributes ->
    attributes.read(OP) {
        val mean = reals("mean", 1..RGB)
        val std = reals("std", 1..RGB)
        if (std.any { it <= 0 }) refuse("std", "positive")
        Normalize(mean, std)
    }
}

private class Normalize(private val mean: DoubleArray, private val std: DoubleArray) : Step {
    // Each of the 256 values of a channel has one result; entry channel · 256 + value.
    private val table = FloatArray(RGB * LEVELS) { i ->
        val channel = i / LEVELS
        val centred = (i % LEVELS).toFloat() - mean[if (mean.size == 1) 0 else channel % mean.size].toFloat()
        centred / std[if (std.size == 1) 0 else channel % std.size].toFloat()
    }

    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val image = inputs[0] as Image
        val tensor = outputs[0] as Tensor
        checkImage(OP, image)
        checkCount("mean", mean.size, image.channels)
        checkCount("std", std.size, image.channels)
        tensor.reshape(DType.FLOAT32, image.height, image.width, image.channels)
        if (image.channels == RGB) {
            fillColours(image.pixels, tensor.floats, image.width * image.height)
        } else {
            fillGrays(image.pixels, tensor.floats, image.size)
        }
    }

    private fun checkCount(name: String, count: Int, channels: Int) {
        if (count != 1 && count != channels) {
            throw GlueException(
                "$OP: $name has $count values for an image of $channels channels; give one value or $channels",
            )
        }
    }

    private fun fillColours(pixels: ByteArray, floats: FloatArray, count: Int) {
        for (i in 0 until count) {
            floats[RGB * i] = table[pixels[RGB * i].toInt() and 0xff]
            floats[RGB * i + 1] = table[LEVELS + (pixels[RGB * i + 1].toInt() and 0xff)]
            floats[RGB * i + 2] = table[2 * LEVELS + (pixels[RGB * i + 2].toInt() and 0xff)]
        }
    }

    private fun fillGrays(pixels: ByteArray, floats: FloatArray, size: Int) {
        for (i in 0 until size) floats[i] = table[pixels[i].toInt() and 0xff]
    }
}
