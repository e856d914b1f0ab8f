package org.litebundle.engine.tflite

import org.litebundle.core.bundle.Bundle
import java.io.File

/** The example's bundle, as `make quantize` builds it. */
internal object Example {
    val root = File(System.getProperty("litebundle.root"))
    val file = File(root, "dist/formula_scan-0.1.0.litebundle")

    fun open(): Bundle {
        check(file.exists()) { "$file is missing; build it with: make quantize" }
        return Bundle.open(file)
    }
}
