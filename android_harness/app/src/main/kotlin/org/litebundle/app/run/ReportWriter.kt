package org.litebundle.app.run

import android.content.Context
import org.litebundle.app.probe.DeviceProbe
import org.litebundle.core.report.BundleInfo
import org.litebundle.core.report.Corrections
import org.litebundle.core.report.RunData
import org.litebundle.core.report.RunFiles
import org.litebundle.core.report.RunInfo
import org.litebundle.core.stats.Summary
import org.litebundle.core.verdict.RunConditions
import org.litebundle.core.verdict.StageResidency
import org.litebundle.core.verdict.Verdict
import java.io.File
import java.io.FileNotFoundException
import java.time.Instant

/** Judges a run and writes its files, for whoever started it to pull. */
class ReportWriter(private val context: Context) {
    /** The run's folder; files of an earlier run of this name are replaced. Throws IOException. */
    fun write(
        plan: RunPlan,
        started: Instant,
        loaded: LoadedBundle,
        goldenFailures: List<String>,
        data: SessionData,
        refreshHz: Double,
        corrections: Corrections?,
    ): File {
        val stages = loaded.runner.stageNames
        val residencies = stages.map { StageResidency(it, loaded.runner.residencies.getValue(it)) }
        val conditions = RunConditions(
            kind = plan.kind,
            virtualClock = false,
            debuggable = DeviceProbe.isDebuggable(context),
            residencies = residencies,
            goldenFailures = goldenFailures,
            thermalAtStart = data.thermal.firstOrNull()?.status,
            clock = data.clock,
            offset = data.offset,
            clockErrorNs = data.clockErrorNs,
            witness = data.testimony,
        )
        val records = data.ledger.records()
        val summary = Summary.of(records, stages, data.thermal, data.energy, loaded.loadNs)
        val manifest = loaded.bundle.manifest
        val limitMs = manifest.limit(Verdict.CAPTURE_TO_DISPLAY)
        val run = RunData(
            run = RunInfo(plan.run, plan.kind, started.toString(), appVersion()),
            bundle = BundleInfo(manifest.identity.name, manifest.identity.version, loaded.bundle.digest),
            device = DeviceProbe.device(),
            engine = loaded.engine.name,
            conditions = conditions,
            camera = data.camera,
            refreshHz = refreshHz,
            stages = stages,
            records = records,
            thermal = data.thermal,
            corrections = corrections,
            summary = summary,
            verdict = Verdict.judge(summary, conditions, data.ledger.violations(), limitMs),
        )
        val folder = folder(plan.run)
        RunFiles.write(folder, run)
        return File(folder, RunFiles.REPORT)
    }

    private fun folder(run: String) =
        File(Storage.reports(context) ?: throw FileNotFoundException("the shared storage is not mounted any more"), run)

    private fun appVersion() = context.packageManager.getPackageInfo(context.packageName, 0).versionName.orEmpty()
}
