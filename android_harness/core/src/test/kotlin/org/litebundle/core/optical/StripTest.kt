package org.litebundle.core.optical

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.frame.Plane
import java.nio.ByteBuffer
import kotlin.math.exp
import kotlin.random.Random

class StripTest {
    private val reader = StripReader()

    @Test
    fun `neighbouring counters differ in one bit of their Gray code`() {
        for (counter in 0L until Strip.MODULUS - 1L) {
            val differing = counterBars(counter).zip(counterBars(counter + 1)).count { (a, b) -> a != b }
            assertEquals(2, differing, "$counter") // a bit is a dark bar and a light one
        }
    }

    private fun counterBars(counter: Long) = Strip.bars(counter).toList().subList(2, 2 + 2 * 12)

    @Test
    fun `every counter has bars of its own, all of one width together`() {
        val all = (0L until Strip.MODULUS).map { Strip.bars(it).toList() }
        assertEquals(Strip.MODULUS, all.toSet().size)
        assertTrue(all.all { it.sum() == Strip.UNITS })
        assertEquals(all[5], Strip.bars(Strip.MODULUS + 5L).toList())
    }

    @Test
    fun `a clean strip is read in both directions, along rows and columns`() {
        for (mirrored in listOf(false, true)) {
            for (upright in listOf(false, true)) {
                val scene = Scene(counter = 1234, mirrored = mirrored, upright = upright)
                assertEquals(1234, reader.read(scene)?.counter, "$mirrored $upright")
            }
        }
    }

    @Test
    fun `the row of its middle is told`() {
        assertEquals(240f, reader.read(Scene(counter = 7, top = 200, bottom = 280))!!.row, 6f)
        assertEquals(120f + Strip.UNITS * 4 / 2, reader.read(Scene(counter = 7, upright = true, left = 120f))!!.row, 6f)
    }

    @Test
    fun `blur, perspective, tilt, noise and uneven light are borne, and nothing else is read`() {
        val random = Random(5)
        var read = 0
        repeat(TRIALS) {
            val counter = random.nextInt(Strip.MODULUS)
            val scene = Scene(
                counter = counter.toLong(),
                mirrored = random.nextBoolean(),
                upright = random.nextBoolean(),
                unit = 3.2 + 1.6 * random.nextDouble(),
                perspective = 0.5 * random.nextDouble(),
                tilt = 0.06 * (random.nextDouble() - 0.5),
                blur = 0.4 + 1.4 * random.nextDouble(),
                noise = 6.0,
                dark = 30.0,
                light = 130.0 + 100 * random.nextDouble(),
                shade = 0.5 * random.nextDouble(),
                seed = it,
            )
            val seen = reader.read(scene)?.counter
            if (seen == counter) read++ else assertNull(seen)
        }
        assertTrue(read >= 0.95 * TRIALS, "$read of $TRIALS")
    }

    @Test
    fun `noise and other bars are no strip`() {
        val random = Random(9)
        repeat(50) {
            val picture = ByteArray(Scene.WIDTH * Scene.HEIGHT)
            if (it % 2 == 0) {
                random.nextBytes(picture)
            } else {
                val edges = List(60) { random.nextInt(Scene.WIDTH) }
                val row = ByteArray(Scene.WIDTH) { x -> if (edges.count { edge -> edge < x } % 2 == 0) -1 else 0 }
                for (y in 0 until Scene.HEIGHT) row.copyInto(picture, y * Scene.WIDTH)
            }
            val luma = Plane(ByteBuffer.wrap(picture), Scene.WIDTH, 1)
            assertNull(reader.read(luma, Scene.WIDTH, Scene.HEIGHT))
        }
    }

    @Test
    fun `two strips in one frame are none`() {
        val above = Scene(counter = 10, top = 60, bottom = 160)
        val below = Scene(counter = 11, top = 260, bottom = 360)
        val both = ByteArray(above.pixels.size) {
            minOf(above.pixels[it].toInt() and 255, below.pixels[it].toInt() and 255).toByte()
        }
        assertNull(reader.read(Plane(ByteBuffer.wrap(both), Scene.WIDTH, 1), Scene.WIDTH, Scene.HEIGHT))
    }

    private fun StripReader.read(scene: Scene) =
        read(Plane(ByteBuffer.wrap(scene.pixels), Scene.WIDTH, 1), Scene.WIDTH, Scene.HEIGHT)

    private companion object {
        const val TRIALS = 60
    }
}

/** A frame that shows a strip: bars by their exact coverage, then light, blur and noise. */
private class Scene(
    counter: Long,
    mirrored: Boolean = false,
    upright: Boolean = false,
    private val unit: Double = 4.0,
    private val perspective: Double = 0.0,
    private val tilt: Double = 0.0,
    private val left: Float = 40f,
    private val top: Int = 200,
    private val bottom: Int = 280,
    blur: Double = 0.0,
    noise: Double = 0.0,
    private val dark: Double = 20.0,
    private val light: Double = 235.0,
    private val shade: Double = 0.0,
    seed: Int = 0,
) {
    private val bars = Strip.bars(counter).let { if (mirrored) it.reversedArray() else it }

    /** Unit by unit. */
    private val isDark = bars.flatMapIndexed { i, units -> List(units) { i % 2 == 0 } }.toBooleanArray()
    val pixels = ByteArray(WIDTH * HEIGHT)

    init {
        val random = Random(seed)
        val (length, lines) = if (upright) HEIGHT to WIDTH else WIDTH to HEIGHT
        val beside = blurred(DoubleArray(length) { lit(it, length) }, blur)
        val picture = Array(lines) { y ->
            if (y in top..bottom) blurred(DoubleArray(length) { x -> ink(x, y, length) }, blur) else beside
        }
        for (y in 0 until HEIGHT) {
            for (x in 0 until WIDTH) {
                val value = if (upright) picture[x][y] else picture[y][x]
                pixels[y * WIDTH + x] =
                    (value + noise * gaussian[random.nextInt(gaussian.size)]).coerceIn(0.0, 255.0).toInt().toByte()
            }
        }
    }

    private fun lit(x: Int, length: Int) = light * (1 - shade * x / length)

    private fun ink(x: Int, y: Int, length: Int): Double {
        val lit = lit(x, length)
        var covered = 0.0
        for (i in 0 until SAMPLES) if (isDark(units(x + (i + 0.5) / SAMPLES - left - tilt * (y - top)))) covered++
        return lit + (dark - lit) * covered / SAMPLES
    }

    /** Units from the strip's begin; they get narrower by up to the share [perspective] towards its end. */
    private fun units(x: Double): Double {
        val total = Strip.UNITS * unit
        val share = x / total
        return Strip.UNITS * share / (1 - perspective * 0.3 * (1 - share))
    }

    private fun isDark(units: Double) = units >= 0 && units < isDark.size && isDark[units.toInt()]

    private fun blurred(row: DoubleArray, sigma: Double): DoubleArray {
        if (sigma == 0.0) return row
        val weights = DoubleArray(9) { exp(-(it - 4.0) * (it - 4.0) / (2 * sigma * sigma)) }
        val total = weights.sum()
        return DoubleArray(row.size) { x ->
            weights.indices.sumOf { weights[it] * row[(x + it - 4).coerceIn(0, row.size - 1)] } / total
        }
    }

    companion object {
        const val WIDTH = 640
        const val HEIGHT = 480
        private const val SAMPLES = 4

        /** Standard normal numbers to draw from. */
        private val gaussian = java.util.Random(1).let { random -> DoubleArray(1 shl 14) { random.nextGaussian() } }
    }
}
