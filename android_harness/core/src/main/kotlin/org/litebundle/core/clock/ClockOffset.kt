package org.litebundle.core.clock

/** A time of CLOCK_MONOTONIC that is known to lie from [earliest] to [latest]. */
data class MonotonicInterval(val earliest: MonotonicNs, val latest: MonotonicNs) {
    val middle get() = earliest + (latest - earliest) / 2
}

/** BOOTTIME − MONOTONIC is from [lowNs] to [highNs]. It changes by deep sleep alone: both clocks are slewed alike. */
data class ClockOffset(val lowNs: Long, val highNs: Long) {
    init {
        require(lowNs <= highNs) { "offset [$lowNs, $highNs] is empty" }
    }

    /** How far a time may be off that [toMonotonic] gave as the middle of its interval, rounded up. */
    val errorNs get() = (highNs - lowNs + 1) / 2

    fun toMonotonic(time: BoottimeNs) = MonotonicInterval(MonotonicNs(time.ns - highNs), MonotonicNs(time.ns - lowNs))

    /** What both allow; null: nothing, so the clocks moved against each other in between. */
    fun intersect(other: ClockOffset): ClockOffset? {
        val low = maxOf(lowNs, other.lowNs)
        val high = minOf(highNs, other.highNs)
        return if (low <= high) ClockOffset(low, high) else null
    }

    companion object {
        /**
         * Reads the clocks [reads] times, boottime between two reads of monotonic. Each triple m0, b, m1 says that the
         * offset is in [b − m1, b − m0]; the answer is what all of them allow.
         *
         * They contradict each other if the device slept in between (a sleep is longer than a read by orders of
         * magnitude). Then all is measured again, at most [attempts] times; null: undecided.
         */
        fun measure(
            monotonic: () -> MonotonicNs,
            boottime: () -> BoottimeNs,
            reads: Int = 64,
            attempts: Int = 4,
        ): ClockOffset? {
            require(reads > 0 && attempts > 0) { "reads and attempts are at least 1, not $reads and $attempts" }
            repeat(attempts) {
                attempt(monotonic, boottime, reads)?.let { return it }
            }
            return null
        }

        private fun attempt(monotonic: () -> MonotonicNs, boottime: () -> BoottimeNs, reads: Int): ClockOffset? {
            var low = Long.MIN_VALUE
            var high = Long.MAX_VALUE
            repeat(reads) {
                val before = monotonic()
                val between = boottime()
                val after = monotonic()
                low = maxOf(low, between.ns - after.ns)
                high = minOf(high, between.ns - before.ns)
            }
            return if (low <= high) ClockOffset(low, high) else null
        }
    }
}
