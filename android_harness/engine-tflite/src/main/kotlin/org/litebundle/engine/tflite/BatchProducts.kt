package org.litebundle.engine.tflite

import org.bytedeco.tensorflowlite.Interpreter
import org.bytedeco.tensorflowlite.Subgraph
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteBuiltinBatchMatmul
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteBuiltinPlaceholderForGreaterOpCodes
import org.bytedeco.tensorflowlite.global.tensorflowlite.kTfLiteFloat32

/**
 * Keep quantized BATCH_MATMUL nodes out of XNNPACK, whose delegate of TensorFlow Lite 2.21.0 leaves out the zero point of
 * the second operand: its products are wrong wherever that is not 0. (LiteRT 2.3.0 does not delegate them.)
 *
 * The delegate picks nodes by their builtin code, when tensors are allocated; the kernels never read it. So from here on
 * these nodes bear a code that no delegate knows.
 */
internal fun hideBatchProducts(interpreter: Interpreter) {
    for (i in 0 until interpreter.subgraphs_size().toInt()) hideBatchProducts(interpreter.subgraph(i))
}

private fun hideBatchProducts(subgraph: Subgraph) {
    for (i in 0 until subgraph.nodes_size().toInt()) {
        val pair = subgraph.node_and_registration(i)
        val registration = pair.second()
        if (registration.builtin_code() != kTfLiteBuiltinBatchMatmul) continue
        val isQuantized = subgraph.tensor(pair.first().inputs().data(1)).type() != kTfLiteFloat32
        if (isQuantized) registration.builtin_code(kTfLiteBuiltinPlaceholderForGreaterOpCodes)
    }
}
