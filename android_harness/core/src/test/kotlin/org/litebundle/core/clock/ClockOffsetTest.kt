package org.litebundle.core.clock

import io.kotest.property.Arb
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotNull
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Random

internal const val HOURS_38 = 38L * 3600 * 1_000_000_000

/** Both clocks of a device; a read takes a random time, mostly little. [asleep] steps the offset. */
internal class SimulatedClocks(seed: Long, var offsetNs: Long) {
    private val random = Random(seed)
    var nowNs = 5_000_000_000_000L
    var reads = 0
    var sleepAtRead: (Int) -> Long = { 0 }

    val monotonic = {
        tick()
        MonotonicNs(nowNs)
    }
    val boottime = {
        tick()
        BoottimeNs(nowNs + offsetNs)
    }

    private fun tick() {
        nowNs += if (random.nextInt(20) == 0) random.nextInt(100_000) else 20 + random.nextInt(300)
        offsetNs += sleepAtRead(reads++)
    }
}

class ClockOffsetTest {
    @Test
    fun `the interval always holds the true offset`() = runBlocking<Unit> {
        checkAll(300, Arb.long(), Arb.long(-HOURS_38..HOURS_38)) { seed, offset ->
            val clocks = SimulatedClocks(seed, offset)
            val found = checkNotNull(ClockOffset.measure(clocks.monotonic, clocks.boottime))
            assertTrue(offset in found.lowNs..found.highNs)
            assertTrue(found.errorNs <= 2_000, "$found is wider than the error budget")
        }
    }

    @Test
    fun `an event lies in the interval that its boottime is brought to`() = runBlocking<Unit> {
        checkAll(200, Arb.long(), Arb.long(0..HOURS_38), Arb.long(0L..1_000_000_000_000L)) { seed, offset, event ->
            val clocks = SimulatedClocks(seed, offset)
            val times = checkNotNull(
                ClockOffset.measure(clocks.monotonic, clocks.boottime),
            ).toMonotonic(BoottimeNs(event + offset))
            assertTrue(MonotonicNs(event) in times.earliest..times.latest)
        }
    }

    @Test
    fun `each read bounds the offset by the reads around it, and all bounds hold`() {
        val monotonic = listOf(100L, 110, 200, 203, 300, 330).iterator()
        val boottime = listOf(1105L, 1202, 1310).iterator()
        // [995, 1005], [999, 1002], [980, 1010]
        val found = ClockOffset.measure({ MonotonicNs(monotonic.next()) }, { BoottimeNs(boottime.next()) }, reads = 3)
        assertEquals(ClockOffset(999, 1002), found)
        assertEquals(2, found?.errorNs)
    }

    @Test
    fun `a sleep between the reads is noticed, and all is measured again`() {
        val clocks = SimulatedClocks(1, HOURS_38)
        clocks.sleepAtRead = { read -> if (read == 100) 4_000_000_000L else 0 }
        val found = checkNotNull(ClockOffset.measure(clocks.monotonic, clocks.boottime))
        assertEquals(2 * 3 * 64, clocks.reads)
        assertTrue(HOURS_38 + 4_000_000_000L in found.lowNs..found.highNs)
    }

    @Test
    fun `clocks that move at every attempt are undecided`() {
        val clocks = SimulatedClocks(1, 0)
        clocks.sleepAtRead = { read -> if (read % 50 == 0) 4_000_000_000L else 0 }
        assertNull(ClockOffset.measure(clocks.monotonic, clocks.boottime, attempts = 3))
        assertEquals(3 * 3 * 64, clocks.reads)
    }

    @Test
    fun `an interval without a time is none`() {
        assertThrows(IllegalArgumentException::class.java) { ClockOffset(2, 1) }
        assertNull(ClockOffset(0, 1).intersect(ClockOffset(2, 3)))
        assertEquals(ClockOffset(1, 1), ClockOffset(0, 1).intersect(ClockOffset(1, 3)))
    }

    @Test
    fun `a resume in mid-run gives each frame the offset of its own time, and none to those in between`() {
        val clocks = SimulatedClocks(3, HOURS_38)
        val offsets = OffsetTimeline()
        val frames = ArrayList<Pair<Long, BoottimeNs>>()

        fun record(seconds: Int) = repeat(seconds) {
            offsets.calibrate(clocks.monotonic, clocks.boottime)
            clocks.nowNs += 500_000_000
            frames.add(clocks.nowNs to BoottimeNs(clocks.nowNs + clocks.offsetNs))
            clocks.nowNs += 500_000_000
        }
        record(5)
        clocks.offsetNs += 3_600_000_000_000L
        record(5)
        offsets.calibrate(clocks.monotonic, clocks.boottime)

        val found = frames.map { (_, boottime) -> offsets.toMonotonic(boottime) }
        // The fifth frame came after the last calibration before the sleep: nobody knows on which side of it.
        assertNull(found[4])
        for (i in frames.indices - 4) {
            val times = checkNotNull(found[i])
            assertTrue(MonotonicNs(frames[i].first) in times.earliest..times.latest)
        }
        assertTrue(checkNotNull(offsets.errorNs) <= 2_000)
        assertTrue(HOURS_38 + 3_600_000_000_000L in checkNotNull(offsets.latest).let { it.lowNs..it.highNs })
        assertNull(offsets.throughout)
    }

    @Test
    fun `times before the first calibration and after the last are not known`() {
        val offsets = OffsetTimeline()
        assertNull(offsets.toMonotonic(BoottimeNs(1_000)))
        assertNull(offsets.errorNs)
        assertNull(offsets.throughout)
        assertNull(offsets.latest)
        offsets.add(MonotonicNs(1_000), MonotonicNs(1_010), ClockOffset(100, 102))
        offsets.add(MonotonicNs(2_000), MonotonicNs(2_010), ClockOffset(101, 104))
        assertEquals(ClockOffset(101, 102), offsets.latest)
        assertEquals(ClockOffset(101, 102), offsets.throughout)
        assertNull(offsets.toMonotonic(BoottimeNs(1_050)))
        assertEquals(MonotonicInterval(MonotonicNs(1_398), MonotonicNs(1_399)), offsets.toMonotonic(BoottimeNs(1_500)))
        assertNull(offsets.toMonotonic(BoottimeNs(2_200)))
        assertThrows(IllegalArgumentException::class.java) {
            offsets.add(MonotonicNs(1_500), MonotonicNs(1_510), ClockOffset(101, 102))
        }
    }

    @Test
    fun `an undecided calibration breaks the stretch`() {
        val offsets = OffsetTimeline()
        offsets.add(MonotonicNs(1_000), MonotonicNs(1_010), ClockOffset(100, 102))
        offsets.add(MonotonicNs(2_000), MonotonicNs(2_010), null)
        assertNull(offsets.latest)
        offsets.add(MonotonicNs(3_000), MonotonicNs(3_010), ClockOffset(100, 102))
        offsets.add(MonotonicNs(4_000), MonotonicNs(4_010), ClockOffset(100, 102))
        assertNull(offsets.toMonotonic(BoottimeNs(1_601)))
        assertNull(offsets.toMonotonic(BoottimeNs(2_601)))
        assertNotNull(offsets.toMonotonic(BoottimeNs(3_601)))
        assertFalse(offsets.sameAt(MonotonicNs(2_500)))
        assertTrue(offsets.sameAt(MonotonicNs(3_500)))
    }

    @Test
    fun `an offset that was undecided at the end, or at first, is not known throughout`() {
        for (calibrations in listOf(listOf(ClockOffset(1, 2), null), listOf(null, ClockOffset(1, 2)))) {
            val offsets = OffsetTimeline()
            calibrations.forEachIndexed { i, offset -> offsets.add(MonotonicNs(i * 10L), MonotonicNs(i * 10L), offset) }
            assertNull(offsets.throughout)
        }
    }
}
