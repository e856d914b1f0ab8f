package org.litebundle.core.value

/**
 * A value of a graph (docs/glue.md, "Values").
 *
 * Values are containers that one frame after another fills again: their arrays grow to the largest frame seen and
 * stay, so that a steady state allocates nothing. An array may therefore be longer than its content.
 */
sealed class Value

/** uint8 [height, width, channels], row by row; 3 channels are RGB, 1 is gray. */
class Image : Value() {
    var width = 0
        private set
    var height = 0
        private set
    var channels = 0
        private set
    var pixels = ByteArray(0)
        private set

    val size get() = width * height * channels

    /** Take a new size; the pixels are then undefined. */
    fun reshape(width: Int, height: Int, channels: Int) {
        this.width = width
        this.height = height
        this.channels = channels
        if (pixels.size < size) pixels = ByteArray(size)
    }
}

/**
 * An array in C order. Its elements are in [floats] for float32, [ints] for int32, [longs] for int64 and [bytes] for
 * all others (float16: two bytes an element, little-endian). [quantization] is null unless the elements are raw
 * integers that stand for real numbers.
 */
class Tensor : Value() {
    var dtype = DType.FLOAT32
        private set
    var shape = IntArray(0)
        private set
    var size = 0
        private set
    var quantization: Quantization? = null
    var floats = FloatArray(0)
        private set
    var ints = IntArray(0)
        private set
    var longs = LongArray(0)
        private set
    var bytes = ByteArray(0)
        private set

    /** Take a new type and shape (copied), without quantization; the elements are then undefined. */
    fun reshape(dtype: DType, shape: IntArray) {
        if (this.shape.size != shape.size) this.shape = IntArray(shape.size)
        shape.copyInto(this.shape)
        reserve(dtype)
    }

    /** [reshape] to [1, height, width, channels] without an array for the shape. */
    fun reshape(dtype: DType, height: Int, width: Int, channels: Int) {
        if (shape.size != NHWC) shape = IntArray(NHWC)
        shape[0] = 1
        shape[1] = height
        shape[2] = width
        shape[NHWC - 1] = channels
        reserve(dtype)
    }

    private fun reserve(dtype: DType) {
        this.dtype = dtype
        quantization = null
        size = 1
        for (side in shape) size = Math.multiplyExact(size, side)
        when (dtype) {
            DType.FLOAT32 -> if (floats.size < size) floats = FloatArray(size)
            DType.INT32 -> if (ints.size < size) ints = IntArray(size)
            DType.INT64 -> if (longs.size < size) longs = LongArray(size)
            DType.FLOAT16 -> if (bytes.size < 2 * size) bytes = ByteArray(2 * size)
            DType.INT8, DType.UINT8, DType.BOOL -> if (bytes.size < size) bytes = ByteArray(size)
        }
    }

    private companion object {
        const val NHWC = 4
    }
}

/** float32 [count, 5]: x0, y0, x1, y1, score of box i from [numbers] index 5 · i on. */
class Boxes : Value() {
    var count = 0
        private set
    var numbers = FloatArray(0)
        private set

    /** Take a new count; the numbers of boxes that were there before stay. */
    fun reshape(count: Int) {
        this.count = count
        if (numbers.size < STRIDE * count) numbers = numbers.copyOf(maxOf(STRIDE * count, 2 * numbers.size))
    }

    companion object {
        const val STRIDE = 5
    }
}

/** float64 [6]: scale_x, scale_y, offset_x, offset_y, width, height. */
class Geometry : Value() {
    val numbers = DoubleArray(SIZE)

    private companion object {
        const val SIZE = 6
    }
}

/** int32 [count]. */
class Tokens : Value() {
    var count = 0
        private set
    var ids = IntArray(0)
        private set

    /** Take a new count; the tokens that were there before stay. */
    fun reshape(count: Int) {
        this.count = count
        if (ids.size < count) ids = ids.copyOf(maxOf(count, 2 * ids.size))
    }
}

class Text : Value() {
    val text = StringBuilder()
}

class Index : Value() {
    var index = 0
}

class Score : Value() {
    var score = 0.0
}

/** A list of values of one kind, [count] of them in use; those behind are kept for later frames. */
class Items(private val make: () -> Value) : Value() {
    private val pool = ArrayList<Value>()
    var count = 0
        private set

    operator fun get(i: Int): Value = pool[i]

    /** Take a new count; items that were there before stay. */
    fun reshape(count: Int) {
        while (pool.size < count) pool.add(make())
        this.count = count
    }
}

/** The kinds of value, by their names in docs/glue.md; a list of any is an [Items]. */
enum class Kind(val id: String, val make: () -> Value) {
    IMAGE("image", ::Image),
    TENSOR("tensor", ::Tensor),
    BOXES("boxes", ::Boxes),
    GEOMETRY("geometry", ::Geometry),
    TOKENS("tokens", ::Tokens),
    TEXT("text", ::Text),
    INDEX("index", ::Index),
    SCORE("score", ::Score),
}
