package org.litebundle.core.glue

/** The closed vocabulary of docs/glue.md; `autoregressive_decode` and the border of a model are not in it. */
object Operations {
    val all: Map<String, Operation> = listOf(
        convertColor,
        cropBoxes,
        ctcDecode,
        dbnetBoxes,
        detokenize,
        fitHeight,
        heatmapBoxes,
        letterbox,
        nms,
        normalize,
        pad,
        resize,
        rotateUpright,
        softmaxTopK,
        toTensor,
    ).associateBy { it.name }
}
