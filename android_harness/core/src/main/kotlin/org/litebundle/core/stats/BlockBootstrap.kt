package org.litebundle.core.stats

/**
 * 95 % intervals of percentiles of a series whose neighbours resemble each other, as latencies of frames do: the
 * circular block bootstrap (Politis and Romano 1992), percentile method.
 *
 * A resample is ⌈n / b⌉ blocks of b neighbours, each beginning anywhere, the series closed to a ring, cut to n. A
 * percentile's interval is from the 2.5th to the 97.5th percentile of what it is in the resamples. Equal series have
 * equal intervals: the random numbers are always the same.
 *
 * How often such intervals held the truth, of 200 Gaussian AR(1) series: for p50 to p95 of 900 samples 94 to 97 times
 * of 100 with a memory of 0 or 0.5, 89 to 93 with one of 0.8; of 1800, 93 to 97. On 300 samples they are too sure of
 * themselves: 88 to 92 for p90 where there is memory, and 59 to 86 for p99.
 */
object BlockBootstrap {
    /** Resamples. */
    const val REPLICATES = 2000
    private const val SEED = 20L
    private const val LOW_PER_MILLE = 25
    private const val HIGH_PER_MILLE = 975

    /** The [percents] of [samples] (in the order of time, not empty) with their intervals. */
    fun estimate(
        samples: LongArray,
        percents: List<Int>,
        block: Int = BlockLength.of(samples),
        replicates: Int = REPLICATES,
        seed: Long = SEED,
    ): List<Estimate> {
        val sorted = samples.sortedArray()
        val resampled = resample(ranks(samples), percents, block, replicates, seed)
        return percents.mapIndexed { p, percent ->
            val ranks = resampled[p].apply { sort() }
            Estimate(
                Percentiles.exact(sorted, percent),
                sorted[ranks[perMille(replicates, LOW_PER_MILLE)]],
                sorted[ranks[perMille(replicates, HIGH_PER_MILLE)]],
            )
        }
    }

    /** Per percentile, the rank that it has in each resample. Counting ranks saves sorting each resample. */
    private fun resample(
        ranks: IntArray,
        percents: List<Int>,
        block: Int,
        replicates: Int,
        seed: Long,
    ): List<IntArray> {
        val size = ranks.size
        require(block in 1..size) { "blocks of $block do not fit $size samples" }
        val random = SplitMix64(seed)
        val found = percents.map { IntArray(replicates) }
        val wanted = percents.map { Percentiles.index(size, it) }
        val counts = IntArray(size)
        for (replicate in 0 until replicates) {
            counts.fill(0)
            for (first in 0 until size step block) {
                var from = random.nextBelow(size)
                repeat(minOf(block, size - first)) {
                    counts[ranks[from]]++
                    if (++from == size) from = 0
                }
            }
            var rank = -1
            var seen = 0
            for (p in wanted.indices) {
                while (seen <= wanted[p]) seen += counts[++rank]
                found[p][replicate] = rank
            }
        }
        return found
    }

    private fun ranks(samples: LongArray): IntArray {
        val order = samples.indices.sortedWith { a, b -> samples[a].compareTo(samples[b]) }
        val ranks = IntArray(samples.size)
        for (rank in order.indices) ranks[order[rank]] = rank
        return ranks
    }

    private fun perMille(size: Int, perMille: Int) = ((size.toLong() * perMille + 999) / 1000 - 1).toInt()
}
