package org.litebundle.core.glue

import org.litebundle.core.value.DType
import org.litebundle.core.value.Image
import org.litebundle.core.value.Tensor

/** The longest side of an image, in pixels: up to here the sums of a resize fit 32 bits. */
internal const val MAX_SIDE = 16384

internal const val RGB = 3

/** A size that may be any from 1. */
internal const val ANY = -1

internal fun checkImage(op: String, image: Image) {
    if (image.channels != 1 && image.channels != RGB) {
        throw GlueException("$op: the image has ${image.channels} channels; it must have 1 (gray) or 3 (RGB)")
    }
    if (image.width !in 1..MAX_SIDE || image.height !in 1..MAX_SIDE) {
        throw GlueException(
            "$op: the image is ${image.width} x ${image.height} pixels; each side must be 1 to $MAX_SIDE: " +
                "scale it or drop it before",
        )
    }
}

/** Refuse a tensor [name] that is not float32 [1, second, third, fourth]; a size may be [ANY]. */
internal fun checkFloats(op: String, name: String, tensor: Tensor, second: Int, third: Int, fourth: Int) {
    val shape = tensor.shape
    val fits = tensor.dtype == DType.FLOAT32 && shape.size == 4 && shape[0] == 1 &&
        fits(shape[1], second) && fits(shape[2], third) && fits(shape[3], fourth)
    if (!fits) refuse(op, name, tensor, "float32 [1, ${shown(second)}, ${shown(third)}, ${shown(fourth)}]")
}

internal fun checkFloats(op: String, name: String, tensor: Tensor, second: Int, third: Int) {
    val shape = tensor.shape
    val fits = tensor.dtype == DType.FLOAT32 && shape.size == 3 && shape[0] == 1 &&
        fits(shape[1], second) && fits(shape[2], third)
    if (!fits) refuse(op, name, tensor, "float32 [1, ${shown(second)}, ${shown(third)}]")
}

internal fun checkFloats(op: String, name: String, tensor: Tensor, second: Int) {
    val shape = tensor.shape
    val fits = tensor.dtype == DType.FLOAT32 && shape.size == 2 && shape[0] == 1 && fits(shape[1], second)
    if (!fits) refuse(op, name, tensor, "float32 [1, ${shown(second)}]")
}

internal fun checkLabelCount(op: String, labels: Int, classes: Int) {
    if (labels != classes) {
        throw GlueException(
            "$op: $labels labels for $classes classes; the label file must name each class of the model's output " +
                "once, in order",
        )
    }
}

internal fun refuse(op: String, name: String, tensor: Tensor, wanted: String): Nothing = throw GlueException(
    "$op: input '$name' is ${tensor.dtype.id} ${tensor.shape.contentToString()}; it must be $wanted: bind another " +
        "model output to it or change the model's output",
)

private fun fits(size: Int, wanted: Int) = if (wanted == ANY) size >= 1 else size == wanted

private fun shown(size: Int) = if (size == ANY) "?" else "$size"
