package org.litebundle.core.optical

import org.litebundle.core.frame.Plane
import kotlin.math.abs

/** A strip that a frame shows: its counter modulo [Strip.MODULUS], and the row of the frame that its middle is on. */
data class Sighting(val counter: Int, val row: Float)

/**
 * Finds a [Strip] in a frame's luma, along its rows or its columns, in either direction. It may be tilted a few
 * degrees, get narrower to one side, be blurred up to its unit's width and be lit unevenly; a unit needs three pixels.
 * One thread at a time.
 */
class StripReader {
    private var line = IntArray(0)
    private val edges = FloatArray(MAX_EDGES)
    private val rises = BooleanArray(MAX_EDGES)
    private var edgeCount = 0
    private val counters = IntArray(MAX_CANDIDATES)
    private val votes = IntArray(MAX_CANDIDATES)
    private val rows = FloatArray(MAX_CANDIDATES)
    private var candidates = 0

    /**
     * The strip that [luma] shows; null if it shows none, or two of different counters as at the moment of their
     * change.
     */
    fun read(luma: Plane, width: Int, height: Int): Sighting? {
        candidates = 0
        if (line.size < maxOf(width, height)) line = IntArray(maxOf(width, height))
        scan(luma, width, height, luma.pixelStride, luma.rowStride, alongRows = true)
        scan(luma, height, width, luma.rowStride, luma.pixelStride, alongRows = false)
        return elect()
    }

    private fun scan(luma: Plane, length: Int, lines: Int, step: Int, lineStep: Int, alongRows: Boolean) {
        var at = 1
        while (at < lines - 1) {
            for (i in 0 until length) {
                val offset = at * lineStep + i * step
                line[i] = sample(luma, offset - lineStep) + sample(luma, offset) + sample(luma, offset + lineStep)
            }
            findEdges(length)
            decode(at, alongRows)
            at += maxOf(2, lines / LINES)
        }
    }

    private fun sample(luma: Plane, offset: Int) = luma.bytes.get(offset).toInt() and 0xFF

    /** Edges are where the slope is steepest among neighbours of one sign; those far below the steepest are noise. */
    private fun findEdges(length: Int) {
        edgeCount = 0
        var steepest = 0
        for (i in 1 until length - 1) steepest = maxOf(steepest, abs(slope(i)))
        val threshold = maxOf(LEAST_SLOPE, steepest / 4)
        var best = 0
        for (i in 2 until length - 2) {
            val slope = slope(i)
            if (abs(slope) < threshold) continue
            val sameEdge = edgeCount > 0 && rises[edgeCount - 1] == slope > 0
            if (sameEdge && abs(slope) <= best) continue
            if (!sameEdge && edgeCount == MAX_EDGES) return
            if (!sameEdge) edgeCount++
            best = abs(slope)
            edges[edgeCount - 1] = peak(i)
            rises[edgeCount - 1] = slope > 0
        }
    }

    private fun slope(i: Int) = line[i + 1] - line[i - 1]

    /** The top of the parabola through the slopes at [i] and beside it. */
    private fun peak(i: Int): Float {
        val before = abs(slope(i - 1))
        val here = abs(slope(i))
        val after = abs(slope(i + 1))
        val bend = before - 2 * here + after
        return if (bend >= 0) i.toFloat() else i + 0.5f * (before - after) / bend
    }

    private fun decode(at: Int, alongRows: Boolean) {
        for (first in 0..edgeCount - EDGES) {
            // In either direction a strip begins with a fall and ends with a rise.
            if (rises[first]) continue
            val last = first + EDGES - 1
            val counter = maxOf(decode(first, 1), decode(last, -1))
            if (counter >= 0) vote(counter, if (alongRows) at.toFloat() else (edges[first] + edges[last]) / 2)
        }
    }

    private fun decode(start: Int, direction: Int): Int {
        var pitch = gap(start, 0, 2, direction) / 2
        if (abs(gap(start, 0, 1, direction) / (2 * pitch) - 0.5f) > START_TOLERANCE) return -1
        var word = 0
        for (bit in 0 until Strip.BITS) {
            val edge = 2 + 2 * bit
            val period = gap(start, edge, edge + 2, direction)
            if (abs(period / pitch - 1) > PITCH_TOLERANCE) return -1
            val dark = gap(start, edge, edge + 1, direction) / period
            word = word shl 1 or (if (dark > 0.5f) 1 else 0)
            pitch = period
        }
        return Strip.counter(word)
    }

    private fun gap(start: Int, from: Int, to: Int, direction: Int) =
        abs(edges[start + direction * to] - edges[start + direction * from])

    private fun vote(counter: Int, row: Float) {
        var i = 0
        while (i < candidates && counters[i] != counter) i++
        if (i == MAX_CANDIDATES) return
        if (i == candidates) {
            counters[i] = counter
            votes[i] = 0
            rows[i] = 0f
            candidates++
        }
        votes[i]++
        rows[i] += row
    }

    private fun elect(): Sighting? {
        var best = -1
        for (i in 0 until candidates) if (best < 0 || votes[i] > votes[best]) best = i
        if (best < 0 || votes[best] < LEAST_VOTES) return null
        for (i in 0 until candidates) if (i != best && 3 * votes[i] > votes[best]) return null
        return Sighting(counters[best], rows[best] / votes[best])
    }

    private companion object {
        /** Edges of a strip: both sides of each dark bar. */
        const val EDGES = 2 * Strip.BITS + 4
        const val MAX_EDGES = 1024
        const val MAX_CANDIDATES = 16
        const val LINES = 120
        const val LEAST_VOTES = 3

        /** Of the sum of three lines. */
        const val LEAST_SLOPE = 24
        const val START_TOLERANCE = 0.15f
        const val PITCH_TOLERANCE = 0.35f
    }
}
