package org.litebundle.cli

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.frame.YuvToRgb
import org.litebundle.core.golden.GoldenCheck
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.recording.Recording
import org.litebundle.core.replay.Replay
import org.litebundle.core.replay.ReplayCosts
import org.litebundle.core.report.BundleInfo
import org.litebundle.core.report.DeviceInfo
import org.litebundle.core.report.RunData
import org.litebundle.core.report.RunFiles
import org.litebundle.core.report.RunInfo
import org.litebundle.core.run.FramePipeline
import org.litebundle.core.run.Runner
import org.litebundle.core.stats.Summary
import org.litebundle.core.verdict.RunConditions
import org.litebundle.core.verdict.RunKind
import org.litebundle.core.verdict.StageResidency
import org.litebundle.core.verdict.Verdict
import org.litebundle.engine.tflite.TfliteEngine
import java.io.File
import java.io.PrintStream
import java.time.Instant
import java.time.temporal.ChronoUnit
import java.util.Properties

private const val REFRESH_HZ = 60.0

internal fun replay(arguments: List<String>, out: PrintStream): Int {
    val options = Arguments(arguments, valued = setOf("--out", "--costs"), flags = setOf("--real"))
    val (bundleFile, recordingFile) = options.positional("BUNDLE", "RECORDING")
    val folder = File(options["--out"] ?: throw UsageException("--out DIR says where the report goes, and is missing"))
    val costsFile = options["--costs"]?.let(::File)
    if ((costsFile == null) != ("--real" in options)) {
        throw UsageException("give either --costs COSTS.json, with what work takes on the virtual clock, or --real")
    }
    val given = costsFile?.let { file -> naming(file) { Json.parse(content(file, Json.MAX_BYTES)) } }
    Bundle.open(File(bundleFile)).use { bundle ->
        TfliteEngine().use { engine ->
            val replay = BundleReplay(bundle, engine, Recording.open(File(recordingFile)))
            val costs = given?.let { naming(costsFile) { ReplayCosts.parse(it, replay.stages) } }
            RunFiles.write(folder, replay.run(folder.absoluteFile.name, costs))
        }
    }
    out.println(File(folder, RunFiles.REPORT))
    return HELD
}

private fun <T> naming(file: File, read: () -> T): T = try {
    read()
} catch (error: JsonException) {
    throw JsonException("$file: ${error.message}")
}

private class BundleReplay(
    private val bundle: Bundle,
    private val engine: TfliteEngine,
    private val recording: Recording,
) {
    val stages: List<String>
    private val residencies: List<StageResidency>
    private val goldenFailures: List<String>

    init {
        Runner(bundle, engine).use { runner ->
            stages = runner.stageNames
            residencies = stages.map { StageResidency(it, runner.residencies.getValue(it)) }
            goldenFailures = GoldenCheck(bundle, runner).failures()
        }
    }

    /** On the virtual clock with [costs], at the pace of the wall clock without. */
    fun run(id: String, costs: ReplayCosts?): RunData {
        val info = runInfo(id, costs)
        val (ledger, loadNs) = work(costs)
        val records = ledger.records()
        val summary = Summary.of(records, stages, loadNs = loadNs.takeIf { costs == null })
        val conditions = conditions(virtualClock = costs != null)
        val limitMs = bundle.manifest.limit(Verdict.CAPTURE_TO_DISPLAY)
        return RunData(
            run = info,
            bundle = with(bundle.manifest.identity) { BundleInfo(name, version, bundle.digest) },
            device = if (costs == null) thisMachine() else noMachine(),
            engine = engine.name,
            conditions = conditions,
            camera = null,
            refreshHz = costs?.refreshHz ?: REFRESH_HZ,
            stages = stages,
            records = records,
            thermal = emptyList(),
            corrections = null,
            summary = summary,
            verdict = Verdict.judge(summary, conditions, ledger.violations(), limitMs),
        )
    }

    private fun runInfo(id: String, costs: ReplayCosts?): RunInfo {
        val now = Instant.now().truncatedTo(ChronoUnit.SECONDS).toString()
        return try {
            RunInfo(id, RunKind.REPLAY, if (costs == null) now else recording.info.madeUtc, version())
        } catch (error: IllegalArgumentException) {
            throw UsageException("--out: ${error.message}")
        }
    }

    /** The ledger, and how long the models took to load. */
    private fun work(costs: ReplayCosts?): Pair<Ledger, Long> {
        val photos = YuvToRgb()
        val orientation = recording.info.sensorOrientation
        var loadNs = 0L
        val runners = ArrayList<Runner>()
        val replay = Replay(
            recording,
            stages,
            converter = { frame, photo -> photos.convert(frame, photo, orientation) },
            pipeline = { clock ->
                val began = System.nanoTime()
                val runner = Runner(bundle, engine, clock).also(runners::add)
                loadNs = System.nanoTime() - began
                FramePipeline(runner::run)
            },
        )
        try {
            val ledger = if (costs == null) replay.real(REFRESH_HZ) else replay.virtual(costs)
            return ledger to loadNs
        } finally {
            runners.forEach(Runner::close)
        }
    }

    private fun conditions(virtualClock: Boolean): RunConditions {
        val clock = recording.clock
        return RunConditions(
            kind = RunKind.REPLAY,
            virtualClock = virtualClock,
            debuggable = false,
            residencies = residencies,
            goldenFailures = goldenFailures,
            thermalAtStart = null,
            clock = clock.sensor,
            offset = clock.offset,
            clockErrorNs = clock.offset?.errorNs ?: 0,
            witness = null,
        )
    }

    private fun thisMachine() = DeviceInfo(
        manufacturer = System.getProperty("os.name"),
        model = System.getProperty("os.arch"),
        sdk = null,
        build = "${System.getProperty("os.version")}, ${System.getProperty("java.vm.name")} " +
            System.getProperty("java.vm.version"),
        soc = null,
    )

    private fun noMachine() =
        DeviceInfo("none", "virtual clock", sdk = null, build = "recorded on: ${recording.info.device}", soc = null)
}

private fun version(): String = Properties().apply {
    UsageException::class.java.getResourceAsStream("version.properties").use(::load)
}.getProperty("version")
