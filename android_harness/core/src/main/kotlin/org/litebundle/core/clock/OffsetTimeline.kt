package org.litebundle.core.clock

/**
 * The offset of the clocks in the course of a run: measured at its begin, every second or so, and at its end.
 *
 * Where two measurements in a row agree, the device did not sleep between them; a stretch of those has one offset,
 * which is what all of them allow. Where they disagree, or one is undecided, nobody knows when the clocks moved: times
 * between them are not known, nor those before the first and after the last.
 */
class OffsetTimeline {
    private class Stretch(val from: MonotonicNs, var to: MonotonicNs, var offset: ClockOffset) {
        fun covers(times: MonotonicInterval) = times.earliest >= from && times.latest <= to
    }

    private val stretches = ArrayList<Stretch>()
    private var broken = true
    private var wasUndecided = false

    /**
     * How far a converted time may be off because of the clocks, at most; null: nothing was measured.
     */
    val errorNs: Long?
        @Synchronized get() = stretches.maxOfOrNull { it.offset.errorNs }

    /** The offset now; null: never measured, or undecided. */
    val latest: ClockOffset?
        @Synchronized get() = if (broken) null else stretches.last().offset

    /** The one offset from the first measurement to the last; null: the clocks moved, or nobody knows. */
    val throughout: ClockOffset?
        @Synchronized get() = if (wasUndecided) null else stretches.singleOrNull()?.offset

    /** The offset was measured from [from] to [to], later than all before; null: undecided. */
    @Synchronized
    fun add(from: MonotonicNs, to: MonotonicNs, offset: ClockOffset?) {
        require(from <= to && stretches.lastOrNull()?.let { it.to <= from } != false) { "measurements come in order" }
        if (offset == null) {
            broken = true
            wasUndecided = true
            return
        }
        val last = stretches.lastOrNull()
        val shared = if (broken) null else last?.offset?.intersect(offset)
        if (last == null || shared == null) {
            stretches.add(Stretch(from, to, offset))
        } else {
            last.to = to
            last.offset = shared
        }
        broken = false
    }

    /** Measure the offset now ([ClockOffset.measure]) and add it. */
    fun calibrate(monotonic: () -> MonotonicNs, boottime: () -> BoottimeNs) {
        val from = monotonic()
        val offset = ClockOffset.measure(monotonic, boottime)
        add(from, monotonic(), offset)
    }

    /** Null: what the clocks did at that time is not known. */
    @Synchronized
    fun toMonotonic(time: BoottimeNs): MonotonicInterval? = stretches.map {
        it to it.offset.toMonotonic(time)
    }.singleOrNull { (stretch, times) -> stretch.covers(times) }?.second

    /** Whether both clocks read the same at this time ([SensorClock.Immaterial]). */
    @Synchronized
    fun sameAt(time: MonotonicNs) = stretches.any { it.offset.isNothing() && it.covers(MonotonicInterval(time, time)) }
}

/** The sensor's times, by what is known of its clock and of the offset when it is asked. */
class SensorTimeline(private val offsets: OffsetTimeline) : SensorTimes {
    /** What the first frames showed; until then nothing is known. */
    @Volatile
    var clock: SensorClock = SensorClock.Undecided("no frame has arrived yet")

    override fun toMonotonic(timestampNs: Long): MonotonicNs? =
        toMonotonic(timestampNs, offsets::toMonotonic, offsets::sameAt)

    /**
     * By the newest offset, as if the device had not slept since it was measured: for a view of what happens now, as a
     * time is known for certain only when the offset is measured after it.
     */
    val live = SensorTimes { timestampNs ->
        val offset = offsets.latest
        toMonotonic(timestampNs, { offset?.toMonotonic(it) }, { offset?.isNothing() == true })
    }

    private inline fun toMonotonic(
        timestampNs: Long,
        boottime: (BoottimeNs) -> MonotonicInterval?,
        same: (MonotonicNs) -> Boolean,
    ): MonotonicNs? = when (val clock = clock) {
        SensorClock.Realtime -> boottime(BoottimeNs(timestampNs))?.middle

        is SensorClock.Inferred -> when (clock.domain) {
            ClockDomain.BOOTTIME -> boottime(BoottimeNs(timestampNs))?.middle
            ClockDomain.MONOTONIC -> MonotonicNs(timestampNs)
        }

        SensorClock.Immaterial -> MonotonicNs(timestampNs).takeIf(same)

        is SensorClock.Undecided -> null
    }
}
