package org.litebundle.core.glue

import io.kotest.property.Arb
import io.kotest.property.arbitrary.bind
import io.kotest.property.arbitrary.element
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.value.Boxes
import org.litebundle.core.value.DType
import org.litebundle.core.value.Geometry
import org.litebundle.core.value.Image
import org.litebundle.core.value.Items
import org.litebundle.core.value.Quantization
import org.litebundle.core.value.Tensor
import org.litebundle.core.value.Value
import kotlin.math.abs
import kotlin.random.Random

class PropertiesTest {
    private val sides = Arb.int(1..40)
    private val channels = Arb.element(1, 3)
    private val pictures = Arb.bind(sides, sides, channels, Arb.long()) { width, height, channels, seed ->
        Image().apply {
            reshape(width, height, channels)
            Random(seed).nextBytes(pixels)
        }
    }
    private val boxes = Arb.list(
        Arb.bind(coordinate(), coordinate(), coordinate(), coordinate(), Arb.int(0..4)) { x, y, width, height, score ->
            floatArrayOf(x, y, x + width, y + height, score / 4f)
        },
        0..12,
    )

    @Test
    fun `a picture of one colour stays it at any size`() = runBlocking<Unit> {
        checkAll(sides, sides, sides, sides, Arb.int(0..255)) { width, height, newWidth, newHeight, level ->
            val image = Image().apply {
                reshape(width, height, 3)
                pixels.fill(level.toByte())
            }
            val resized = resized(image, newWidth, newHeight)
            assertTrue((0 until resized.size).all { resized.pixels[it] == level.toByte() })
        }
    }

    @Test
    fun `a brighter picture is nowhere darker when resized`() = runBlocking<Unit> {
        checkAll(pictures, sides, sides, Arb.long()) { image, width, height, seed ->
            val random = Random(seed)
            val brighter = Image().apply { reshape(image.width, image.height, image.channels) }
            for (i in 0 until image.size) brighter.pixels[i] = random.nextInt(level(image, i), 256).toByte()
            val dark = resized(image, width, height)
            val bright = resized(brighter, width, height)
            assertTrue((0 until dark.size).all { level(dark, it) <= level(bright, it) })
        }
    }

    @Test
    fun `a mirrored picture is mirrored when resized`() = runBlocking<Unit> {
        checkAll(pictures, sides, sides) { image, width, height ->
            val resized = mirrored(resized(image, width, height))
            val other = resized(mirrored(image), width, height)
            // Weights are added from the left, so the last bit of one may differ, and with it a level.
            assertTrue((0 until resized.size).all { abs(level(resized, it) - level(other, it)) <= 1 })
        }
    }

    @Test
    fun `a letterbox fills the canvas on one axis, keeps the aspect, and its geometry says where the picture is`() =
        runBlocking<Unit> {
            checkAll(pictures, sides, sides) { image, width, height ->
                val canvas = Image()
                val placed = Geometry()
                run("letterbox", """{"size": [$height, $width], "fill": 9}""", arrayOf(image), canvas, placed)
                val (scaleX, scaleY, left, top) = placed.numbers
                val right = image.width * scaleX + left
                val bottom = image.height * scaleY + top
                assertTrue(abs(right - left - width) < EPSILON || abs(bottom - top - height) < EPSILON)
                assertTrue(left >= 0 && top >= 0 && right <= width + EPSILON && bottom <= height + EPSILON)
                // A side that is rounded up to 1 pixel has no aspect to keep.
                val isThin = right - left < 1 + EPSILON || bottom - top < 1 + EPSILON
                assertTrue(isThin || abs(scaleX - scaleY) * minOf(image.width, image.height) <= 0.5 + EPSILON)
                val inside = resized(image, Math.round(right - left).toInt(), Math.round(bottom - top).toInt())
                for (row in 0 until height) {
                    for (column in 0 until width) {
                        val isInside =
                            column >= left && column < right - EPSILON && row >= top && row < bottom - EPSILON
                        for (c in 0 until image.channels) {
                            val at = ((row - top.toInt()) * inside.width + column - left.toInt()) * image.channels + c
                            val expected = if (isInside) inside.pixels[at] else 9
                            assertEquals(expected, canvas.pixels[(row * width + column) * image.channels + c])
                        }
                    }
                }
            }
        }

    @Test
    fun `a picture turned four times is itself, and twice is a half turn`() = runBlocking<Unit> {
        checkAll(pictures) { image ->
            var turned = image
            repeat(2) { turned = turned(turned, 1) }
            assertSame(turned(image, 2), turned)
            repeat(2) { turned = turned(turned, 1) }
            assertSame(image, turned)
            assertSame(image, turned(turned(image, 3), 1))
        }
    }

    @Test
    fun `the crop of the whole picture is the picture`() = runBlocking<Unit> {
        checkAll(pictures) { image ->
            val whole = Boxes().apply { reshape(1) }
            floatArrayOf(0f, 0f, image.width.toFloat(), image.height.toFloat(), 1f).copyInto(whole.numbers)
            val crops = Items(::Image)
            run("crop_boxes", """{"margin": 0.5}""", arrayOf(image, whole), crops, Boxes())
            assertEquals(1, crops.count)
            assertSame(image, crops[0] as Image)
        }
    }

    @Test
    fun `nms keeps some of its boxes, none of which overlap, and keeps all of these again`() = runBlocking<Unit> {
        checkAll(boxes, Arb.int(0..4)) { rows, quarters ->
            val kept = nms(rows, quarters)
            assertTrue(kept.all { box -> rows.any { it.contentEquals(box) } })
            assertTrue(kept.zipWithNext().all { (a, b) -> a[4] >= b[4] })
            val again = nms(kept, quarters)
            assertEquals(kept.size, again.size)
            for (i in kept.indices) assertArrayEquals(kept[i], again[i])
            // Each box that went is covered by a better one that stayed: with it, only that one is left.
            for (box in rows.filter { row -> kept.none { it.contentEquals(row) } }) {
                assertTrue(kept.any { it[4] >= box[4] && nms(listOf(it, box), quarters).size == 1 })
            }
        }
    }

    @Test
    fun `gray lies between the lowest and the highest channel, and gray of gray is gray`() = runBlocking<Unit> {
        checkAll(pictures) { image ->
            val gray = Image()
            run("convert_color", """{"to": "gray"}""", arrayOf(image), gray)
            for (i in 0 until image.width * image.height) {
                val levels = (0 until image.channels).map { level(image, i * image.channels + it) }
                assertTrue(level(gray, i) in levels.min()..levels.max())
            }
            val colour = Image()
            val back = Image()
            run("convert_color", """{"to": "bgr"}""", arrayOf(gray), colour)
            run("convert_color", """{"to": "gray"}""", arrayOf(colour), back)
            assertSame(gray, back)
        }
    }

    @Test
    fun `what is quantized comes back within half a step`() = runBlocking<Unit> {
        checkAll(Arb.int(-6000..6000), Arb.element(DType.INT8, DType.UINT8)) { thousandths, dtype ->
            val real = thousandths / 1000f
            val quantization = Quantization(0.05f, if (dtype == DType.INT8) 1 else 127)
            val raw = ByteArray(1)
            val back = FloatArray(1)
            quantize(floatArrayOf(real), 1, quantization, dtype, raw)
            dequantize(raw, 1, quantization, dtype, back)
            assertEquals(real, back[0], 0.025f + 1e-5f)
        }
    }

    @Test
    fun `components are those of a flood fill`() = runBlocking<Unit> {
        checkAll(Arb.int(1..9), Arb.int(1..9), Arb.long(), Arb.int(1..9)) { rows, columns, seed, density ->
            val random = Random(seed)
            val map = FloatArray(rows * columns) { if (random.nextInt(10) < density) 1f else 0f }
            val components = Components().apply { find(map, rows, columns, 0.5f) }
            val sizes = floodSizes(map, rows, columns)
            assertEquals(sizes, (0 until components.count).map { components.cells[it] })
        }
    }

    @Test
    fun `a stable sort is that of the standard library`() = runBlocking<Unit> {
        checkAll(Arb.list(Arb.int(0..5), 0..40)) { keys ->
            val sort = StableSort()
            sort.reset(keys.size)
            sort.sort(keys.size) { left, right -> keys[left] < keys[right] }
            assertEquals(keys.indices.sortedBy { keys[it] }, sort.order.take(keys.size))
        }
    }

    private fun coordinate() = Arb.int(0..12).let { whole -> Arb.bind(whole, whole) { a, _ -> a / 2f } }

    private fun level(image: Image, i: Int) = image.pixels[i].toInt() and 0xff

    private fun run(op: String, attributes: String, inputs: Array<out Value>, vararg outputs: Value) {
        @Suppress("UNCHECKED_CAST")
        Operations.all.getValue(op).prepare(attributes(attributes)).run(inputs as Array<Value>, arrayOf(*outputs))
    }

    private fun resized(image: Image, width: Int, height: Int) =
        Image().also { run("resize", """{"size": [$height, $width]}""", arrayOf(image), it) }

    private fun turned(image: Image, quarters: Int) = Image().also { Turner().turn(image, it, quarters) }

    private fun mirrored(image: Image) = Image().apply {
        reshape(image.width, image.height, image.channels)
        for (i in 0 until size) {
            val pixel = i / channels
            val mirror = pixel - pixel % width + width - 1 - pixel % width
            pixels[i] = image.pixels[mirror * channels + i % channels]
        }
    }

    private fun nms(rows: List<FloatArray>, quarters: Int): List<FloatArray> {
        val from = Boxes().apply { reshape(rows.size) }
        rows.forEachIndexed { i, row -> row.copyInto(from.numbers, Boxes.STRIDE * i) }
        val kept = Boxes()
        run("nms", """{"iou": ${quarters / 4.0}}""", arrayOf(from), kept)
        return (0 until kept.count).map { kept.numbers.copyOfRange(Boxes.STRIDE * it, Boxes.STRIDE * (it + 1)) }
    }

    private fun assertSame(expected: Image, actual: Image) {
        assertEquals(expected.width to expected.height, actual.width to actual.height)
        assertArrayEquals(expected.pixels.copyOf(expected.size), actual.pixels.copyOf(actual.size))
    }

    private fun floodSizes(map: FloatArray, rows: Int, columns: Int): List<Int> {
        val left = map.indices.filter { map[it] > 0.5f }.toMutableSet()
        val sizes = ArrayList<Int>()
        while (left.isNotEmpty()) {
            val waiting = mutableListOf(left.min().also { left.remove(it) })
            var size = 0
            while (waiting.isNotEmpty()) {
                val cell = waiting.removeAt(waiting.size - 1)
                size++
                val near = left.filter {
                    abs(it / columns - cell / columns) <= 1 &&
                        abs(it % columns - cell % columns) <= 1
                }
                left.removeAll(near.toSet())
                waiting.addAll(near)
            }
            sizes.add(size)
        }
        return sizes
    }

    private companion object {
        const val EPSILON = 1e-9
    }
}
