package org.litebundle.core.report

import org.litebundle.core.ledger.DropCause
import org.litebundle.core.stats.Distribution
import org.litebundle.core.verdict.Verdict
import java.util.Locale

/** A run for a terminal, in 80 columns but for names and reasons: what it was, its latencies, and whether they may be quoted. */
internal class TextForm(private val data: RunData, private val out: Appendable) {
    private val summary = data.summary

    fun write() {
        writeHead()
        writeFrames()
        writeLatency()
        writeStages()
        writeRest()
        writeVerdict()
    }

    private fun writeHead() {
        line("run ${data.run.id} (${data.run.kind.id}), begun ${data.run.startedUtc}")
        line("bundle ${data.bundle.name} ${data.bundle.version}, manifest ${data.bundle.digest.take(DIGEST_SHOWN)}")
        line("device ${data.device.manufacturer} ${data.device.model}, ${data.device.build}")
        line("engine ${data.engine}")
        data.camera?.let { line("camera ${it.width} x ${it.height}, ${rate(it)}") }
        val display = summary.display
        line(
            if (display ==
                null
            ) {
                "display: nothing was presented"
            } else {
                "display grade ${display.grade}: ${display.source}"
            },
        )
    }

    private fun rate(camera: CameraInfo): String {
        val asked = if (camera.isFixed) "fixed ${camera.fpsLow}" else "varying ${camera.fpsLow} to ${camera.fpsHigh}"
        val had = summary.frameInterval?.let { ", every ${number(it.p50Ns)} ms (p99 ${number(it.p99Ns)})" }
        return "$asked frames/s${had.orEmpty()}"
    }

    private fun writeFrames() = with(summary.frames) {
        val drops = DropCause.entries.joinToString { "${it.name.lowercase()} ${dropped[it] ?: 0}" }
        line()
        line("frames $captured: presented $presented, superseded $superseded, failed $failed")
        line("dropped: $drops")
        if (unfinished > 0) line("unfinished $unfinished")
        line(summary.steadyFrom?.let { "steady from frame $it" } ?: "no steady state")
    }

    private fun writeLatency() {
        line()
        row("ms", listOf("p50", "p90", "p95", "p99", "samples"))
        row("start of exposure to presentation", summary.startToPresent)
        row("middle of exposure to presentation", summary.midToPresent)
        row("age just before replacement", summary.midToReplaced)
        row("interval of results", summary.resultInterval)
        row("middle to presentation, minute one", summary.minuteOne.midToPresent)
        row("middle to presentation, sustained", summary.sustained.midToPresent)
    }

    private fun writeStages() {
        line()
        row("ms", listOf("p50", "p90", "p95", "p99", "samples"))
        for (stage in summary.stages) {
            row("${stage.name} before", stage.pre)
            row("${stage.name} model", stage.run)
            row("${stage.name} after", stage.post)
        }
    }

    private fun writeRest() {
        line()
        with(summary.coldStart) {
            val parts = listOf("load" to loadNs, "first inference" to firstInferenceNs, "first result" to firstResultNs)
            val told = parts.mapNotNull { (name, ns) -> ns?.let { "$name ${number(it)} ms" } }
            line("cold start: ${told.ifEmpty { listOf("not measured") }.joinToString()}")
        }
        summary.energy?.let { line("energy per result: %.1f mJ".format(Locale.ROOT, it.perResultUws / UWS_PER_MJ)) }
        data.conditions.witness?.let {
            val confirmed = if (it.confirmed) "confirmed" else "not confirmed"
            line("second witness: ${it.agreeing} of ${it.pairs} results agree: $confirmed")
        }
        data.corrections?.let { line("corrected by the user: ${it.corrected} of ${it.shown} results") }
    }

    private fun writeVerdict() {
        line()
        data.verdict.requirement?.let {
            val (measured, low, high) = listOf(it.measuredMs, it.lowMs, it.highMs).map(::rounded)
            line("${it.name}: $measured ($low to $high), limit ${rounded(it.limitMs)}")
        }
        line(
            when (data.verdict) {
                is Verdict.Pass -> "PASS"
                is Verdict.Fail -> "FAIL"
                is Verdict.Refused -> "REFUSED: none of these numbers may be quoted"
            },
        )
        for (reason in reasons(data.verdict)) line("- ${reason.text} [${reason.code}]")
    }

    private fun row(name: String, distribution: Distribution?) {
        val cells = distribution?.run { listOf(p50, p90, p95, p99).map { number(it.valueNs) } + count.toString() }
        row(name, cells ?: List(COLUMNS) { "-" })
    }

    private fun row(name: String, cells: List<String>) =
        line(name.padEnd(NAME_WIDTH) + cells.joinToString("") { it.padStart(CELL_WIDTH) })

    private fun number(durationNs: Long) = rounded(milliseconds(durationNs))

    private fun rounded(number: Double?) = if (number == null) "-" else "%.2f".format(Locale.ROOT, number)

    private fun line(text: String = "") {
        out.append(text).append('\n')
    }

    private companion object {
        const val DIGEST_SHOWN = 12
        const val NAME_WIDTH = 36
        const val CELL_WIDTH = 8
        const val COLUMNS = 5
        const val UWS_PER_MJ = 1e3
    }
}
