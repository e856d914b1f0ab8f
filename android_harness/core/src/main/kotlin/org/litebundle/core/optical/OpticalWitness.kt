package org.litebundle.core.optical

import kotlin.math.max
import kotlin.math.min

/** What the screen claims of a result's latency: the time from the middle of its exposure to its presentation, in ns. */
data class Claim(val earliestNs: Long, val latestNs: Long)

/** The result's light was seen between these times after the middle of its exposure, in ns. */
internal data class ClosedLoop(val counter: Long, val earliestNs: Long, val latestNs: Long)

/** [agreeing] of [pairs] results have a claim that their closed loop allows. */
data class Testimony(val pairs: Int, val agreeing: Int) {
    val confirmed get() = pairs >= LEAST_PAIRS && agreeing >= LEAST_SHARE * pairs

    companion object {
        /** As many pairs are needed to confirm anything. */
        const val LEAST_PAIRS = 30
        private const val LEAST_SHARE = 0.95
    }
}

/**
 * The second witness of capture-to-display latency: the camera sees, through a mirror, the strip of each result.
 *
 * Both ends of the loop are exposures, so all its times are in the sensor's own clock: neither the clocks' offset nor
 * the display's timestamps enter. Result n was lit after the last frame that showed an earlier one, and before the
 * first that showed n or a later one; half an exposure on either side, since a frame shows what lit most of it.
 */
class OpticalWitness {
    private class Shown(val counter: Long, val exposureMidNs: Long)

    private val shown = ArrayList<Shown>()
    private var next = 0
    private var previousBeganNs: Long? = null
    private val loops = ArrayList<ClosedLoop>()

    /** Results whose light was seen, in their order. */
    internal val closedLoops: List<ClosedLoop> get() = loops

    /** The screen was given result [counter] (rising by one), computed from the frame exposed around [exposureMidNs]. */
    fun submitted(counter: Long, exposureMidNs: Long) {
        shown.add(Shown(counter, exposureMidNs))
    }

    /** A frame showed [sighting] in the row that was exposed for [exposureNs] around [exposureMidNs]. */
    fun saw(sighting: Sighting, exposureMidNs: Long, exposureNs: Long) {
        val counter = unwrap(sighting.counter) ?: return
        val previous = previousBeganNs
        while (next < shown.size && shown[next].counter <= counter) {
            val result = shown[next++]
            // What was passed over between two sightings may never have been lit.
            if (previous == null || result.counter != counter) continue
            loops.add(
                ClosedLoop(
                    counter,
                    previous - result.exposureMidNs,
                    exposureMidNs + exposureNs / 2 - result.exposureMidNs,
                ),
            )
        }
        previousBeganNs = exposureMidNs - exposureNs / 2
    }

    /** The newest counter submitted that is equal to [counter] modulo [Strip.MODULUS]; null if there is none. */
    private fun unwrap(counter: Int): Long? {
        val newest = shown.lastOrNull()?.counter ?: return null
        val behind = Math.floorMod(newest - counter, Strip.MODULUS.toLong())
        return (newest - behind).takeIf { it >= shown.first().counter }
    }

    /**
     * Compare with the [claims] of results by counter. Light follows a presentation by up to one [refreshPeriodNs],
     * depending on the strip's row, and by the panel's response.
     */
    fun testimony(claims: Map<Long, Claim>, refreshPeriodNs: Long): Testimony {
        var pairs = 0
        var agreeing = 0
        for (loop in loops) {
            val claim = claims[loop.counter] ?: continue
            pairs++
            val from = max(claim.earliestNs, loop.earliestNs)
            val to = min(claim.latestNs + refreshPeriodNs + PANEL_RESPONSE_NS, loop.latestNs)
            if (from <= to) agreeing++
        }
        return Testimony(pairs, agreeing)
    }

    private companion object {
        const val PANEL_RESPONSE_NS = 25_000_000L
    }
}
