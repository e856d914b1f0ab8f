package org.litebundle.core.clock

/** A time of CLOCK_MONOTONIC in ns: `System.nanoTime`, fences, the display. It stops in deep sleep. */
@JvmInline
value class MonotonicNs(val ns: Long) : Comparable<MonotonicNs> {
    operator fun minus(other: MonotonicNs): Long = ns - other.ns

    operator fun plus(durationNs: Long) = MonotonicNs(ns + durationNs)

    override fun compareTo(other: MonotonicNs) = ns.compareTo(other.ns)
}

/** A time of CLOCK_BOOTTIME in ns: `SystemClock.elapsedRealtimeNanos`, most sensors. It goes on in deep sleep. */
@JvmInline
value class BoottimeNs(val ns: Long) : Comparable<BoottimeNs> {
    operator fun minus(other: BoottimeNs): Long = ns - other.ns

    override fun compareTo(other: BoottimeNs) = ns.compareTo(other.ns)
}

/** What tells the monotonic time: the system, or in a replay the recording. */
fun interface MonotonicClock {
    fun now(): MonotonicNs

    companion object {
        val System = MonotonicClock { MonotonicNs(java.lang.System.nanoTime()) }
    }
}
