package org.litebundle.core.report

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.StageTimes
import java.io.OutputStream

/**
 * The ledger as a Perfetto trace: a track each for the camera, the queue, every stage and the display; the slices of a
 * frame are joined by a flow and carry its id.
 */
internal class TraceForm(private val data: RunData, out: OutputStream) {
    private val perfetto = Perfetto(out)
    private val camera = Track("camera")
    private val queue = Track("queue")
    private val stages = data.stages.map { Track("stage $it") }
    private val display = Track("display")

    fun write() {
        val first = data.records.firstNotNullOfOrNull { it.exposureStart ?: it.imageAvailable } ?: MonotonicNs(0)
        perfetto.clock(first, data.conditions.offset?.lowNs)
        data.records.forEach(::writeFrame)
        writeEnds()
        writeAges()
        writeThermal()
    }

    private fun writeFrame(frame: FrameRecord) {
        slice(camera, "exposure", frame.id, frame.exposureStart, frame.exposureMid)
        slice(camera, "readout", frame.id, frame.exposureMid, frame.imageAvailable)
        slice(queue, "queue", frame.id, frame.imageAvailable, frame.acquired)
        frame.stages.forEachIndexed { stage, times -> if (times != null) writeStage(stages[stage], frame.id, times) }
        slice(display, "to latch", frame.id, frame.submitted, frame.latched)
        slice(display, "to present", frame.id, frame.latched ?: frame.submitted, frame.presented?.value)
    }

    private fun writeStage(track: Track, frame: Long, times: StageTimes) {
        val lane = perfetto.begin(track, track.name, frame, times.preBegin, times.postEnd)
        inner(lane, "pre", frame, times.preBegin, times.preEnd)
        inner(lane, "run", frame, times.runEnqueued, times.runReady)
        inner(lane, "post", frame, times.postBegin, times.postEnd)
        perfetto.end(lane, times.postEnd)
    }

    private fun inner(lane: Lane, name: String, frame: Long, from: MonotonicNs, to: MonotonicNs) {
        perfetto.begin(lane, name, frame, from)
        perfetto.end(lane, to)
    }

    private fun slice(track: Track, name: String, frame: Long, from: MonotonicNs?, to: MonotonicNs?) {
        if (from == null || to == null || to < from) return
        perfetto.end(perfetto.begin(track, name, frame, from, to), to)
    }

    /** Frames without a result, where they were last seen. */
    private fun writeEnds() {
        val lost = data.records.filter { it.outcome != Outcome.Presented }
        val row = perfetto.lane("without a result")
        for ((at, frame) in lost.mapNotNull { frame -> lastSeen(frame)?.let { it to frame } }.sortedBy { it.first }) {
            perfetto.instant(row, words(frame.outcome), frame.id, at)
        }
    }

    private fun lastSeen(frame: FrameRecord) = with(frame) {
        latched ?: submitted ?: acquired ?: imageAvailable ?: captureResult ?: exposureMid
            ?: exposureStart
    }

    private fun words(outcome: Outcome) = when (outcome) {
        is Outcome.Dropped -> "dropped: ${outcome.cause.name.lowercase()}"
        is Outcome.Failed -> "failed: ${outcome.reason}"
        else -> id(outcome)
    }

    private fun writeAges() {
        val row = perfetto.counter("age when presented", "ms")
        for (frame in data.records) {
            val presented = frame.presented?.value ?: continue
            val light = frame.exposureMid ?: continue
            perfetto.count(row, milliseconds(presented - light), presented)
        }
    }

    private fun writeThermal() {
        val status = perfetto.counter("thermal status", "")
        val headroom = perfetto.counter("thermal headroom", "")
        for (sample in data.thermal) {
            sample.status?.let { perfetto.count(status, it.ordinal.toDouble(), sample.at) }
            sample.headroom?.takeIf { it.isFinite() }?.let { perfetto.count(headroom, it.toDouble(), sample.at) }
        }
    }
}
