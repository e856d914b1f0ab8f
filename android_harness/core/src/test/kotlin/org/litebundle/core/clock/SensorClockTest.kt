package org.litebundle.core.clock

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.frame.Exposure

class SensorClockTest {
    private val awake = ClockOffset(-300, 250)
    private val slept = ClockOffset(HOURS_38 - 300, HOURS_38 + 250)

    /** Frames [ages] ns old by CLOCK_MONOTONIC when they arrive at a device that has slept for [sleptNs]. */
    private fun readings(sleptNs: Long, vararg ages: Long) = ages.map { age ->
        val now = 7_000_000_000_000L + age
        SensorReading(7_000_000_000_000L, MonotonicNs(now), BoottimeNs(now + sleptNs))
    }

    private fun undecided(clock: SensorClock) = (clock as SensorClock.Undecided).reason

    @Test
    fun `a declared boottime that fits is believed`() {
        val fits = readings(HOURS_38, 20_000_000 - HOURS_38, 35_000_000 - HOURS_38)
        assertEquals(SensorClock.Realtime, SensorClock.decide(TimestampSource.REALTIME, fits, slept))
        assertEquals(SensorClock.Realtime, SensorClock.decide(TimestampSource.REALTIME, readings(0, 20_000_000), awake))
    }

    @Test
    fun `a declared boottime is believed although some frame came late`() {
        val late = readings(0, 700_000_000, 20_000_000)
        assertEquals(SensorClock.Realtime, SensorClock.decide(TimestampSource.REALTIME, late, awake))
    }

    @Test
    fun `a declared boottime that the timestamps contradict is undecided`() {
        val reason = undecided(SensorClock.decide(TimestampSource.REALTIME, readings(HOURS_38, 20_000_000), slept))
        assertTrue("do not fit it" in reason && "136800020000000" in reason, reason)
    }

    @Test
    fun `one plausible domain of two is inferred`() {
        val monotonic = SensorClock.decide(
            TimestampSource.UNKNOWN,
            readings(HOURS_38, 20_000_000, 499_999_999, 1),
            slept,
        )
        assertEquals(SensorClock.Inferred(ClockDomain.MONOTONIC), monotonic)
        val boottime = SensorClock.decide(TimestampSource.UNKNOWN, readings(HOURS_38, 20_000_000 - HOURS_38), slept)
        assertEquals(SensorClock.Inferred(ClockDomain.BOOTTIME), boottime)
    }

    @Test
    fun `no plausible domain is undecided, at the borders too`() {
        for (age in listOf(0L, -1, 500_000_000, 9_000_000_000)) {
            val reason = undecided(SensorClock.decide(TimestampSource.UNKNOWN, readings(HOURS_38, age), slept))
            assertTrue("fit neither" in reason, reason)
        }
    }

    @Test
    fun `a domain is plausible only if each frame is`() {
        val found = SensorClock.decide(TimestampSource.UNKNOWN, readings(HOURS_38, 20_000_000, 600_000_000), slept)
        assertTrue("fit neither" in undecided(found))
        assertTrue("no frame" in undecided(SensorClock.decide(TimestampSource.UNKNOWN, emptyList(), slept)))
    }

    @Test
    fun `two plausible domains are undecided, however little the clocks differ beyond the error budget`() {
        for (sleptNs in listOf(2_001L, 1_000_000, 400_000_000)) {
            val offset = ClockOffset(sleptNs - 200, sleptNs)
            val found = SensorClock.decide(TimestampSource.UNKNOWN, readings(sleptNs, 20_000_000), offset)
            assertTrue("fit both" in undecided(found))
        }
        assertTrue("fit both" in undecided(SensorClock.decide(TimestampSource.UNKNOWN, readings(0, 20_000_000), null)))
    }

    @Test
    fun `two plausible domains do not matter while both clocks read the same, and do after a sleep`() {
        val clock = SensorClock.decide(TimestampSource.UNKNOWN, readings(0, 20_000_000), awake)
        assertEquals(SensorClock.Immaterial, clock)
        val offsets = OffsetTimeline()
        val times = SensorTimeline(offsets).also { it.clock = clock }
        offsets.add(MonotonicNs(1_000_000), MonotonicNs(1_000_100), awake)
        offsets.add(MonotonicNs(2_000_000), MonotonicNs(2_000_100), awake)
        offsets.add(MonotonicNs(3_000_000), MonotonicNs(3_000_100), slept)
        offsets.add(MonotonicNs(4_000_000), MonotonicNs(4_000_100), slept)
        assertEquals(MonotonicNs(1_500_000), times.toMonotonic(1_500_000))
        assertNull(times.toMonotonic(2_500_000))
        assertNull(times.toMonotonic(3_500_000))
    }

    @Test
    fun `a timestamp is brought to monotonic by its domain`() {
        val offsets = OffsetTimeline()
        offsets.add(MonotonicNs(1_000_000), MonotonicNs(1_000_100), slept)
        offsets.add(MonotonicNs(2_000_000), MonotonicNs(2_000_100), slept)
        val times = SensorTimeline(offsets)
        assertNull(times.toMonotonic(1_500_000))
        times.clock = SensorClock.Inferred(ClockDomain.MONOTONIC)
        assertEquals(MonotonicNs(1_500_000), times.toMonotonic(1_500_000))
        for (clock in listOf(SensorClock.Realtime, SensorClock.Inferred(ClockDomain.BOOTTIME))) {
            times.clock = clock
            assertEquals(MonotonicNs(1_500_000 + 25), times.toMonotonic(1_500_000 + HOURS_38))
            assertNull(times.toMonotonic(1_500_000))
        }
    }

    @Test
    fun `a live time needs no measurement after it, a record's does`() {
        val offsets = OffsetTimeline()
        val times = SensorTimeline(offsets)
        assertNull(times.live.toMonotonic(3_000_000 + HOURS_38))
        for (clock in listOf(SensorClock.Realtime, SensorClock.Inferred(ClockDomain.BOOTTIME))) {
            times.clock = clock
            assertNull(SensorTimeline(OffsetTimeline()).also { it.clock = clock }.live.toMonotonic(3_000_000))
        }
        offsets.add(MonotonicNs(1_000_000), MonotonicNs(1_000_100), slept)
        assertNull(times.toMonotonic(3_000_000 + HOURS_38))
        assertEquals(MonotonicNs(3_000_000 + 25), times.live.toMonotonic(3_000_000 + HOURS_38))
        times.clock = SensorClock.Immaterial
        assertNull(times.live.toMonotonic(3_000_000))
        offsets.add(MonotonicNs(2_000_000), MonotonicNs(2_000_100), null)
        times.clock = SensorClock.Realtime
        assertNull(times.live.toMonotonic(3_000_000 + HOURS_38))
    }

    @Test
    fun `light comes in at mid exposure of the row`() {
        val exposure =
            Exposure(1_000_000_000, exposureNs = 10_000_000, rollingShutterSkewNs = 8_000_000, frameDurationNs = 0)
        assertEquals(1_005_000_000, exposure.photonInNs(row = 0.0))
        assertEquals(1_007_000_000, exposure.photonInNs(row = 240 / 960.0))
        assertEquals(1_009_000_000, exposure.photonInNs(row = 0.5))
        assertEquals(1_013_000_000, exposure.photonInNs(row = 1.0))
        assertThrows(IllegalArgumentException::class.java) { exposure.photonInNs(row = 1.5) }
    }
}
