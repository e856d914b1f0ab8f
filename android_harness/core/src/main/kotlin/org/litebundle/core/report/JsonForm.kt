package org.litebundle.core.report

import com.google.gson.stream.JsonWriter
import org.litebundle.core.clock.ClockDomain
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.display.Grade
import org.litebundle.core.engine.Residency
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.power.MonitorKind
import org.litebundle.core.stats.Distribution
import org.litebundle.core.stats.Estimate
import org.litebundle.core.stats.Phase
import org.litebundle.core.verdict.JudgedRequirement
import org.litebundle.core.verdict.Verdict
import java.io.Writer

/** report.json, as docs/harness-report.schema.json defines it. */
internal class JsonForm(private val data: RunData, out: Writer) {
    private val json = JsonWriter(out).apply { setIndent("  ") }
    private val summary = data.summary

    /** Throws [IllegalArgumentException] for a number that is not finite, which JSON has no form for. */
    fun write() {
        json.beginObject()
        json.name("format_version").value("1.0")
        writeIdentity()
        writeConditions()
        writeFrames()
        writeLatency()
        writeStages()
        phase("minute_one", summary.minuteOne)
        phase("sustained", summary.sustained)
        writeCurve()
        writeThermal()
        writeEnergy()
        writeWitness()
        writeCorrections()
        writeVerdict()
        json.endObject()
        json.flush()
    }

    private fun writeIdentity() {
        json.inObject("run") {
            name("id").value(data.run.id)
            name("kind").value(data.run.kind.id)
            name("started_utc").value(data.run.startedUtc)
            name("app_version").value(data.run.appVersion)
        }
        json.inObject("bundle") {
            name("name").value(data.bundle.name)
            name("version").value(data.bundle.version)
            name("digest").value(data.bundle.digest)
        }
        json.inObject("device") {
            name("manufacturer").value(data.device.manufacturer)
            name("model").value(data.device.model)
            name("sdk").value(data.device.sdk)
            name("build").value(data.device.build)
            name("soc").value(data.device.soc)
        }
        json.inObject("engine") {
            name("name").value(data.engine)
            inArray("residency", data.conditions.residencies) { (stage, residency) ->
                name("stage").value(stage)
                when (residency) {
                    is Residency.Proven -> {
                        name("state").value("proven")
                        name("accelerator").value(residency.accelerator.id)
                        name("evidence").value(residency.proof)
                    }

                    is Residency.Unproven -> {
                        name("state").value("unproven")
                        name("accelerator").value(residency.wanted.id)
                        name("evidence").value(residency.reason)
                    }
                }
            }
        }
    }

    private fun writeConditions() = with(data.conditions) {
        json.inObject("conditions") {
            name("debuggable").value(debuggable)
            name("golden_passed").value(goldenFailures?.isEmpty() == true)
            name("thermal_status_at_start").value(thermalAtStart?.ordinal)
            name("virtual_clock").value(virtualClock)
        }
        writeCamera()
        json.inObject("clock") {
            name("domain").value(id(clock))
            name("offset_low_ns").value(offset?.lowNs)
            name("offset_high_ns").value(offset?.highNs)
            name("error_ns").value(clockErrorNs)
        }
        json.inObject("display") {
            name("grade").value(summary.display?.grade?.name)
            name("source").value(summary.display?.source)
            inObject("results") {
                for (grade in Grade.entries) name(grade.name).value(summary.display?.results?.get(grade) ?: 0)
            }
            name("refresh_hz").value(data.refreshHz)
        }
    }

    private fun writeCamera() = json.objectOrNull("camera", data.camera) {
        name("width").value(it.width)
        name("height").value(it.height)
        name("fps_low").value(it.fpsLow)
        name("fps_high").value(it.fpsHigh)
        name("frame_interval_p50_ms").value(summary.frameInterval?.let { found -> milliseconds(found.p50Ns) })
        name("frame_interval_p99_ms").value(summary.frameInterval?.let { found -> milliseconds(found.p99Ns) })
    }

    private fun id(clock: SensorClock) = when (clock) {
        SensorClock.Realtime -> "boottime"

        is SensorClock.Inferred -> when (clock.domain) {
            ClockDomain.BOOTTIME -> "boottime_inferred"
            ClockDomain.MONOTONIC -> "monotonic_inferred"
        }

        SensorClock.Immaterial -> "immaterial"

        is SensorClock.Undecided -> "undecided"
    }

    private fun writeFrames() = with(summary.frames) {
        json.inObject("frames") {
            name("captured").value(captured)
            name("presented").value(presented)
            name("superseded").value(superseded)
            inObject("dropped") {
                for (cause in DropCause.entries) name(cause.name.lowercase()).value(dropped[cause] ?: 0)
            }
            name("failed").value(failed)
            name("unfinished").value(unfinished)
            name("without_clock").value(withoutClock)
        }
    }

    private fun writeLatency() {
        json.inObject("latency") {
            distribution("exposure_start_to_present_ms", summary.startToPresent)
            distribution("exposure_mid_to_present_ms", summary.midToPresent)
            distribution("exposure_mid_to_present_earliest_ms", summary.midToEarliest)
            distribution("exposure_mid_to_present_latest_ms", summary.midToLatest)
            distribution("exposure_start_to_replacement_ms", summary.startToReplaced)
            distribution("age_before_replacement_ms", summary.midToReplaced)
            distribution("result_interval_ms", summary.resultInterval)
        }
        json.inObject("cold_start") {
            name("load_ms").value(summary.coldStart.loadNs?.let(::milliseconds))
            name("first_inference_ms").value(summary.coldStart.firstInferenceNs?.let(::milliseconds))
            name("first_result_ms").value(summary.coldStart.firstResultNs?.let(::milliseconds))
        }
        json.inObject("steady_state") { name("from_frame").value(summary.steadyFrom) }
    }

    private fun writeStages() = json.inArray("stages", summary.stages) { stage ->
        name("name").value(stage.name)
        distribution("pre_ms", stage.pre)
        distribution("run_ms", stage.run)
        distribution("post_ms", stage.post)
    }

    private fun phase(name: String, phase: Phase) = json.inObject(name) {
        distribution("exposure_start_to_present_ms", phase.startToPresent)
        distribution("exposure_mid_to_present_ms", phase.midToPresent)
    }

    private fun writeCurve() = json.inArray("curve", summary.curve) { point ->
        name("second").value(point.second)
        name("results").value(point.results)
        name("exposure_mid_to_present_p50_ms").value(point.p50Ns?.let(::milliseconds))
        name("exposure_mid_to_present_p90_ms").value(point.p90Ns?.let(::milliseconds))
        name("thermal_status").value(point.thermal?.status?.ordinal)
        name("thermal_headroom").value(finite(point.thermal?.headroom))
    }

    private fun writeThermal() = json.inArray("thermal", data.thermal) { sample ->
        name("at_ns").value(sample.at.ns)
        name("status").value(sample.status?.ordinal)
        name("headroom").value(finite(sample.headroom))
    }

    /** PowerManager gives NaN for what it does not know. */
    private fun finite(headroom: Float?) = headroom?.takeIf { it.isFinite() }

    private fun writeEnergy() = json.objectOrNull("energy", summary.energy) {
        name("per_result_mj").value(it.perResultUws / UWS_PER_MJ)
        name("monitors").beginArray()
        it.monitors.forEach { monitor -> value(monitor) }
        endArray()
        name("results").value(it.results)
        name("grade").value(if (it.kind == MonitorKind.RAIL) "measured" else "estimated")
    }

    private fun writeWitness() = json.objectOrNull("witness", data.conditions.witness) {
        name("pairs").value(it.pairs)
        name("agreeing").value(it.agreeing)
        name("confirmed").value(it.confirmed)
    }

    private fun writeCorrections() = json.objectOrNull("corrections", data.corrections) {
        name("shown").value(it.shown)
        name("corrected").value(it.corrected)
        name("share").value(it.share)
    }

    private fun writeVerdict() {
        val requirement = data.verdict.requirement
        json.inArray("requirements", listOfNotNull(requirement)) {
            name("name").value(it.name)
            name("limit").value(it.limitMs)
            name("measured").value(it.measuredMs)
            name("low").value(it.lowMs)
            name("high").value(it.highMs)
            name("verdict").value(it.judgement.name.lowercase())
        }
        json.inObject("verdict") {
            name("state").value(state(data.verdict))
            inArray("reasons", reasons(data.verdict)) { (code, text) ->
                name("code").value(code)
                name("text").value(text)
            }
        }
    }

    private companion object {
        const val UWS_PER_MJ = 1e3
    }
}

internal data class Reason(val code: String, val text: String)

internal fun state(verdict: Verdict) = when (verdict) {
    is Verdict.Pass -> "pass"
    is Verdict.Fail -> "fail"
    is Verdict.Refused -> "refused"
}

internal fun reasons(verdict: Verdict): List<Reason> = when (verdict) {
    is Verdict.Pass -> emptyList()
    is Verdict.Fail -> listOf(Reason("requirement_failed", broken(verdict.requirement)))
    is Verdict.Refused -> verdict.reasons.map { Reason(it.code, it.text) }
}

private fun broken(requirement: JudgedRequirement) = with(requirement) {
    "$name is $measuredMs ms ($lowMs to $highMs), at most $limitMs is asked"
}

private fun JsonWriter.inObject(name: String, members: JsonWriter.() -> Unit) {
    name(name).beginObject()
    members()
    endObject()
}

private fun <T> JsonWriter.inArray(name: String, items: List<T>, members: JsonWriter.(T) -> Unit) {
    name(name).beginArray()
    for (item in items) {
        beginObject()
        members(item)
        endObject()
    }
    endArray()
}

private fun JsonWriter.distribution(name: String, distribution: Distribution?) = objectOrNull(name, distribution) {
    name("count").value(it.count)
    estimate("p50", it.p50)
    estimate("p90", it.p90)
    estimate("p95", it.p95)
    estimate("p99", it.p99)
}

private fun <T : Any> JsonWriter.objectOrNull(name: String, value: T?, members: JsonWriter.(T) -> Unit) {
    if (value == null) name(name).nullValue() else inObject(name) { members(value) }
}

private fun JsonWriter.estimate(name: String, estimate: Estimate) = inObject(name) {
    name("value").value(milliseconds(estimate.valueNs))
    name("low").value(milliseconds(estimate.lowNs))
    name("high").value(milliseconds(estimate.highNs))
}
