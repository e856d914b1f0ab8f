package org.litebundle.core.value

/** Element types of tensors, by their names in the manifest; [bytes] per element. */
enum class DType(val id: String, val bytes: Int) {
    FLOAT32("float32", 4),
    FLOAT16("float16", 2),
    INT8("int8", 1),
    UINT8("uint8", 1),
    INT32("int32", 4),
    INT64("int64", 8),
    BOOL("bool", 1),
    ;

    companion object {
        private val byId = entries.associateBy { it.id }

        fun of(id: String): DType? = byId[id]
    }
}

/** real = (raw − [zeroPoint]) · [scale], for a tensor of int8 or uint8. */
data class Quantization(val scale: Float, val zeroPoint: Int)
