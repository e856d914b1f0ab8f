package org.litebundle.core.stats

import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Random
import kotlin.math.sqrt

class BlockBootstrapTest {
    /** A Gaussian AR(1) process; its median is 0, so that the truth is known. */
    private fun autoregressive(random: Random, size: Int, memory: Double): LongArray {
        var level = random.nextGaussian()
        return LongArray(size) {
            level = memory * level + sqrt(1 - memory * memory) * random.nextGaussian()
            (1e6 * level).toLong()
        }
    }

    private fun coverage(memory: Double, block: (LongArray) -> Int): Double {
        val random = Random(5)
        val trials = 300
        val covered = (1..trials).count {
            val samples = autoregressive(random, 600, memory)
            val median = BlockBootstrap.estimate(samples, listOf(50), block(samples), replicates = 200).single()
            0 in median.lowNs..median.highNs
        }
        return covered.toDouble() / trials
    }

    @Test
    fun `intervals of a series with memory hold the truth where those of single samples do not`() {
        val blocks = coverage(0.8, BlockLength::of)
        val singles = coverage(0.8) { 1 }
        assertTrue(blocks in 0.86..0.99, "$blocks")
        assertTrue(singles < 0.7, "$singles")
    }

    @Test
    fun `intervals of independent samples hold the truth 95 times of 100`() {
        val found = coverage(0.0, BlockLength::of)
        assertTrue(found in 0.91..0.99, "$found")
    }

    @Test
    fun `an interval holds its estimate and lies within the samples, and is the same each time`() = runBlocking<Unit> {
        checkAll(60, Arb.list(Arb.long(0L..1_000_000_000L), 1..150)) { list ->
            val samples = list.toLongArray()
            val estimates = BlockBootstrap.estimate(samples, listOf(50, 90, 95, 99), replicates = 100)
            for (estimate in estimates) {
                assertTrue(estimate.lowNs <= estimate.highNs)
                assertTrue(estimate.lowNs >= samples.min() && estimate.highNs <= samples.max())
                assertTrue(estimate.valueNs in samples)
            }
            assertEquals(estimates, BlockBootstrap.estimate(samples, listOf(50, 90, 95, 99), replicates = 100))
        }
    }

    @Test
    fun `a percentile is the smallest sample that so many do not exceed`() = runBlocking<Unit> {
        checkAll(200, Arb.list(Arb.long(0L..50L), 1..60), Arb.int(1..100)) { list, percent ->
            val expected = list.sorted().first { candidate ->
                list.count { it <= candidate } * 100 >=
                    percent * list.size
            }
            assertEquals(expected, Percentiles.exact(list.sorted().toLongArray(), percent))
        }
    }

    @Test
    fun `no samples have no distribution, and a block must fit`() {
        assertNull(Distribution.of(LongArray(0)))
        assertThrows(IllegalArgumentException::class.java) {
            BlockBootstrap.estimate(longArrayOf(1, 2), listOf(50), block = 3)
        }
        assertThrows(IllegalArgumentException::class.java) { Percentiles.exact(LongArray(0), 50) }
        assertThrows(IllegalArgumentException::class.java) { Percentiles.exact(longArrayOf(1), 0) }
    }
}
