package org.litebundle.core.stats

/**
 * Where a series has warmed up: MSER-5 (White 1997). Of the means Y of k batches of five samples, as many are cut off
 * at the front as make the rest most certain of its mean: d that is least in Σ (Yⱼ − mean)² / (k − d)², j from d on.
 */
object Mser5 {
    private const val BATCH = 5
    private const val FEWEST_BATCHES = 20
    private const val FEWEST_LEFT = 10

    /**
     * The first sample of the steady state, a multiple of 5, the earliest if several are as good; null: there is none.
     *
     * If the best cut leaves less than half of the batches, the series is still on its way (White 1997). Cuts that
     * leave fewer than ten batches are not looked at, as few batches may be alike by chance (Hoad, Robinson and Davies
     * 2010, who leave five; ten take false alarms on 300 independent samples from 2.5 % to 0.5 %). Fewer than 100 samples
     * tell nothing. Samples behind the last full batch are not looked at.
     */
    fun steadyFrom(samples: LongArray): Int? {
        val means = DoubleArray(samples.size / BATCH) { batch ->
            (0 until BATCH).sumOf { samples[BATCH * batch + it].toDouble() } / BATCH
        }
        if (means.size < FEWEST_BATCHES) return null
        val best = (0..means.size - FEWEST_LEFT).minBy { uncertainty(means, it) }
        return if (2 * best <= means.size) BATCH * best else null
    }

    private fun uncertainty(means: DoubleArray, from: Int): Double {
        val count = means.size - from
        var sum = 0.0
        for (j in from until means.size) sum += means[j]
        val mean = sum / count
        var squares = 0.0
        for (j in from until means.size) squares += (means[j] - mean) * (means[j] - mean)
        return squares / count / count
    }
}
