package org.litebundle.core.glue

import org.litebundle.core.value.Image
import org.litebundle.core.value.Kind
import org.litebundle.core.value.Value

private const val OP = "convert_color"

internal val convertColor = Operation(OP, listOf(Kind.IMAGE), listOf(Kind.IMAGE)) { attributes ->
    attributes.read(OP) { ConvertColor(choice("to", listOf("gray", "bgr", "rgb"))) }
}

private class ConvertColor(private val to: String) : Step {
    override fun run(inputs: Array<Value>, outputs: Array<Value>) {
        val image = inputs[0] as Image
        val converted = outputs[0] as Image
        checkImage(OP, image)
        val toGray = to == "gray"
        val isGray = image.channels == 1
        val pixels = image.width * image.height
        converted.reshape(image.width, image.height, if (toGray) 1 else RGB)
        when {
            isGray && !toGray -> repeat(image.pixels, converted.pixels, pixels)
            toGray && !isGray -> luma(image.pixels, converted.pixels, pixels)
            to == "bgr" && !isGray -> swap(image.pixels, converted.pixels, pixels)
            else -> System.arraycopy(image.pixels, 0, converted.pixels, 0, image.size)
        }
    }

    private fun repeat(gray: ByteArray, colour: ByteArray, pixels: Int) {
        for (i in 0 until pixels) {
            val value = gray[i]
            colour[RGB * i] = value
            colour[RGB * i + 1] = value
            colour[RGB * i + 2] = value
        }
    }

    /** The weights of ITU-R BT.601's luma in 8 bits. */
    private fun luma(colour: ByteArray, gray: ByteArray, pixels: Int) {
        for (i in 0 until pixels) {
            val red = colour[RGB * i].toInt() and 0xff
            val green = colour[RGB * i + 1].toInt() and 0xff
            val blue = colour[RGB * i + 2].toInt() and 0xff
            gray[i] = ((77 * red + 150 * green + 29 * blue + 128) shr 8).toByte()
        }
    }

    private fun swap(from: ByteArray, to: ByteArray, pixels: Int) {
        for (i in 0 until pixels) {
            to[RGB * i] = from[RGB * i + 2]
            to[RGB * i + 1] = from[RGB * i + 1]
            to[RGB * i + 2] = from[RGB * i]
        }
    }
}
