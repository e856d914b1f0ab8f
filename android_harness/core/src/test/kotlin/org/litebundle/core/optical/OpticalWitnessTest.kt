package org.litebundle.core.optical

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test

class OpticalWitnessTest {
    /** A camera of 30 fps looks at a screen that shows the result of frame n, [latencyNs] after its exposure. */
    private fun loop(latencyNs: Long, frames: Int): OpticalWitness {
        val witness = OpticalWitness()
        for (frame in 0L until frames) {
            val mid = frame * FRAME_NS
            // Results that are lit by now, newest last.
            val lit = (0L..frame).lastOrNull { it * FRAME_NS + latencyNs <= mid }
            witness.submitted(frame, mid)
            if (lit != null) witness.saw(Sighting((lit % Strip.MODULUS).toInt(), 0f), mid, EXPOSURE_NS)
        }
        return witness
    }

    @Test
    fun `the closed loop holds the true latency, also when the counter wraps`() {
        val witness = loop(90_000_000, frames = Strip.MODULUS + 100)
        assertEquals(Strip.MODULUS + 96, witness.closedLoops.size)
        for (seen in witness.closedLoops) {
            assertTrue(90_000_000 in seen.earliestNs..seen.latestNs, "$seen")
            assertEquals(FRAME_NS + EXPOSURE_NS, seen.latestNs - seen.earliestNs)
        }
    }

    @Test
    fun `each end of the loop has the exposure of its own frame`() {
        val witness = OpticalWitness()
        witness.submitted(0, 0)
        witness.submitted(1, 100)
        witness.saw(Sighting(0, 0f), exposureMidNs = 1000, exposureNs = 600)
        witness.saw(Sighting(1, 0f), exposureMidNs = 2000, exposureNs = 40)
        assertEquals(listOf(ClosedLoop(1, 1000 - 300 - 100, 2000 + 20 - 100)), witness.closedLoops)
    }

    @Test
    fun `a claim is confirmed only while both agree`() {
        val witness = loop(90_000_000, frames = 100)
        val honest = witness.closedLoops.associate { it.counter to Claim(89_000_000, 91_000_000) }
        assertTrue(witness.testimony(honest, REFRESH_NS).confirmed)
        val tooEarly = honest.mapValues { Claim(10_000_000, 12_000_000) }
        assertEquals(0, witness.testimony(tooEarly, REFRESH_NS).agreeing)
        assertFalse(witness.testimony(tooEarly, REFRESH_NS).confirmed)
        val tooLate = honest.mapValues { Claim(150_000_000, 152_000_000) }
        assertEquals(0, witness.testimony(tooLate, REFRESH_NS).agreeing)
    }

    @Test
    fun `few pairs confirm nothing`() {
        val witness = loop(40_000_000, frames = 20)
        val claims = witness.closedLoops.associate { it.counter to Claim(40_000_000, 40_000_000) }
        assertFalse(witness.testimony(claims, REFRESH_NS).confirmed)
    }

    private companion object {
        const val FRAME_NS = 33_333_333L
        const val EXPOSURE_NS = 10_000_000L
        const val REFRESH_NS = 16_666_667L
    }
}
