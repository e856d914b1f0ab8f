package org.litebundle.core.report

import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.StageTimes

/** The raw samples: RFC 4180, UTF-8, a header and a row per frame; what a frame never reached is empty. */
internal class CsvForm(private val data: RunData, private val out: Appendable) {
    fun write() {
        row(COLUMNS_BEFORE + data.stages.flatMap { stage -> STAGE_COLUMNS.map { "$stage.$it" } } + COLUMNS_AFTER)
        for (frame in data.records) row(before(frame) + frame.stages.flatMap(::stage) + after(frame))
    }

    private fun before(frame: FrameRecord): List<Any?> = listOf(
        frame.id,
        id(frame.outcome),
        (frame.outcome as? Outcome.Dropped)?.cause?.name?.lowercase(),
        (frame.outcome as? Outcome.Failed)?.reason,
        frame.exposureStart?.ns,
        frame.exposureMid?.ns,
        frame.captureResult?.ns,
        frame.imageAvailable?.ns,
        frame.acquired?.ns,
    )

    private fun stage(times: StageTimes?): List<Any?> = if (times == null) {
        STAGE_COLUMNS.map { null }
    } else {
        with(times) { listOf(preBegin, preEnd, runEnqueued, runReady, postBegin, postEnd).map { it.ns } + runs }
    }

    private fun after(frame: FrameRecord): List<Any?> = listOf(
        frame.submitted?.ns,
        frame.latched?.ns,
        frame.presented?.value?.ns,
        frame.presented?.earliest?.ns,
        frame.presented?.latest?.ns,
        frame.presented?.grade?.name,
        frame.presented?.source,
    )

    private fun row(fields: List<Any?>) {
        fields.forEachIndexed { i, field ->
            if (i > 0) out.append(',')
            if (field != null) out.append(quoted(field.toString()))
        }
        out.append("\r\n")
    }

    private fun quoted(field: String) =
        if (field.any { it in ",\"\r\n" }) "\"${field.replace("\"", "\"\"")}\"" else field

    private companion object {
        val COLUMNS_BEFORE = listOf(
            "frame",
            "outcome",
            "drop_cause",
            "failure",
            "exposure_start_ns",
            "exposure_mid_ns",
            "capture_result_ns",
            "image_available_ns",
            "acquired_ns",
        )
        val STAGE_COLUMNS = listOf(
            "pre_begin_ns",
            "pre_end_ns",
            "run_enqueued_ns",
            "run_ready_ns",
            "post_begin_ns",
            "post_end_ns",
            "runs",
        )
        val COLUMNS_AFTER = listOf(
            "submitted_ns",
            "latched_ns",
            "presented_ns",
            "presented_earliest_ns",
            "presented_latest_ns",
            "display_grade",
            "display_source",
        )
    }
}
