package org.litebundle.core.report

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNotEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp
import org.litebundle.core.engine.Residency
import org.litebundle.core.json.Json
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.StageTimes
import org.litebundle.core.ledger.violations
import org.litebundle.core.optical.Testimony
import org.litebundle.core.power.EnergySample
import org.litebundle.core.power.MonitorKind
import org.litebundle.core.power.PowerMonitor
import org.litebundle.core.power.ThermalSample
import org.litebundle.core.power.ThermalStatus
import org.litebundle.core.stats.Summary
import org.litebundle.core.verdict.RunConditions
import org.litebundle.core.verdict.RunKind
import org.litebundle.core.verdict.StageResidency
import org.litebundle.core.verdict.Verdict
import java.io.File
import java.util.IdentityHashMap

private const val MS = 1_000_000L
private const val SECOND = 1_000 * MS

private val stages = listOf("locate", "read")

private val records = List(1400) { i ->
    when (i % 100) {
        11 -> frame(i, Outcome.Dropped(DropCause.BUSY))
        23 -> frame(i, Outcome.Dropped(DropCause.QUEUE))
        31 -> frame(i, Outcome.Dropped(DropCause.CAMERA))
        47 -> frame(i, Outcome.Failed("node 'a', \"b\":\r\nπ"))
        59 -> frame(i, Outcome.Superseded)
        else -> frame(i, Outcome.Presented)
    }
}

private fun frame(i: Int, outcome: Outcome): FrameRecord {
    fun at(ms: Long) = MonotonicNs(9 * SECOND + 50 * MS * i + ms * MS + i % 7 * 1000)
    val image = (outcome as? Outcome.Dropped)?.cause != DropCause.CAMERA
    val worked = outcome !is Outcome.Dropped
    val shown = outcome == Outcome.Presented || outcome == Outcome.Superseded
    return FrameRecord(
        id = i.toLong(),
        exposureStart = at(0),
        exposureMid = if (image) at(9) else null,
        captureResult = if (image) at(30) else null,
        imageAvailable = if (image && outcome != Outcome.Dropped(DropCause.QUEUE)) at(28) else null,
        acquired = if (worked) at(31) else null,
        stages = listOf(
            if (worked) StageTimes(at(32), at(33), at(33), at(37), at(37), at(38), 1) else null,
            if (shown) StageTimes(at(38), at(39), at(39), at(43), at(43), at(44), 2) else null,
        ),
        submitted = if (shown) at(45) else null,
        latched = if (shown) at(51) else null,
        presented = if (outcome != Outcome.Presented) {
            null
        } else {
            at(60).let { Stamp(it, it + -MS / 10, it + MS / 10, Grade.A, "present fence") }
        },
        outcome = outcome,
    )
}

/** Of each two results the first has a wide stamp, which puts it behind the second. */
private val inverted = List(801) { i ->
    val frame = frame(i, Outcome.Presented)
    val late = checkNotNull(frame.presented).value + 52 * MS
    if (i % 2 == 0) frame else frame.copy(presented = Stamp(late, late + -60 * MS, late + MS, Grade.D, "model"))
}

private val thermal = listOf(
    ThermalSample(MonotonicNs(9 * SECOND), ThermalStatus.NONE, 0.5f),
    ThermalSample(MonotonicNs(10 * SECOND), ThermalStatus.LIGHT, Float.NaN),
    ThermalSample(MonotonicNs(11 * SECOND), null, null),
)

private val rail = PowerMonitor("rail, one", MonitorKind.RAIL)

private val energy =
    List(2) { EnergySample(MonotonicNs(9 * SECOND + 69 * SECOND * it), mapOf(rail to 5_000_000L * it)) }

/** Of the same frames there is one; bootstrapping it takes long. */
private val summaries = IdentityHashMap<List<FrameRecord>, Summary>()

/** A live run as the app would write it, made up: 70 s at 20 frames a second, with every way in which a frame can end. */
class RunFilesTest {
    @TempDir
    lateinit var temporary: File
    private val root = File(System.getProperty("litebundle.root"))
    private fun run(
        debuggable: Boolean = false,
        limitMs: Double? = 60.0,
        refreshHz: Double = 60.0,
        fpsLow: Int = 20,
        of: List<FrameRecord> = records,
    ): RunData {
        val summary = summaries.getOrPut(of) { Summary.of(of, stages, thermal, energy, loadNs = 80 * MS) }
        val conditions = RunConditions(
            kind = RunKind.LIVE,
            virtualClock = false,
            debuggable = debuggable,
            residencies = stages.map { StageResidency(it, Residency.Proven(Accelerator.GPU, "all of it")) },
            goldenFailures = emptyList(),
            thermalAtStart = ThermalStatus.NONE,
            clock = SensorClock.Realtime,
            offset = ClockOffset(-500, 900),
            clockErrorNs = 700,
            witness = Testimony(pairs = 40, agreeing = 39),
        )
        return RunData(
            run = RunInfo("live-1", RunKind.LIVE, "2026-01-02T03:04:05Z", "0.1.0"),
            bundle = BundleInfo("a", "1.0.0", "ab".repeat(32)),
            device = DeviceInfo("Maker", "Phone \"5\"", 35, "build", null),
            engine = "engine 1",
            conditions = conditions,
            camera = CameraInfo(1280, 960, fpsLow, fpsHigh = 20),
            refreshHz = refreshHz,
            stages = stages,
            records = of,
            thermal = thermal,
            corrections = Corrections(1330, 19),
            summary = summary,
            verdict = Verdict.judge(summary, conditions, violations(of), limitMs),
        )
    }

    private fun write(data: RunData, folder: File = temporary): Map<String, Json> {
        RunFiles.write(folder, data)
        return (Json.parse(File(folder, RunFiles.REPORT).readText()) as Json.Object).members
    }

    private fun Map<String, Json>.at(path: String): Json = path.split(".").fold(Json.Object(this) as Json) {
            json,
            key,
        ->
        (json as? Json.Object)?.members?.getValue(key) ?: (json as Json.Array).items[key.toInt()]
    }

    /** What it writes stays in target/report, for tests that read the trace with its protobuf schema. */
    @Test
    fun `a run that holds passes, with its figures`() {
        val report = write(run(), File(root, "android_harness/core-tests/target/report/live-1"))
        assertEquals(Json.Text("pass"), report.at("verdict.state"))
        assertEquals(Json.Array(emptyList()), report.at("verdict.reasons"))
        assertEquals(Json.Text("pass"), report.at("requirements.0.verdict"))
        assertEquals(51.0, (report.at("latency.exposure_mid_to_present_ms.p50.value") as Json.Number).value)
        assertEquals(60.0, (report.at("latency.exposure_start_to_present_ms.p50.value") as Json.Number).value)
        assertEquals(80.0, (report.at("cold_start.load_ms") as Json.Number).value)
        assertEquals(19.0 / 1330, (report.at("corrections.share") as Json.Number).value)
        assertEquals(Json.Bool(true), report.at("witness.confirmed"))
        assertEquals(Json.Null, report.at("thermal.1.headroom"))
        assertEquals(Json.Number("1"), report.at("thermal.1.status"))
        assertTrue(report.at("sustained.exposure_mid_to_present_ms") is Json.Object)
        val results = (report.at("energy.results") as Json.Number).value
        assertEquals(5_000.0 / results, (report.at("energy.per_result_mj") as Json.Number).value, 1e-9)
    }

    /** It stays in target/report, for tests that find the same steady state in its samples. */
    @Test
    fun `the steady state is counted in the order of presentation`() {
        val report = write(run(of = inverted), File(root, "android_harness/core-tests/target/report/inverted"))
        val from = (report.at("steady_state.from_frame") as Json.Number).value.toLong()
        val begin = checkNotNull(inverted.single { it.id == from }.presented).value
        val behind = inverted.count { checkNotNull(it.presented).value >= begin }
        assertEquals(behind.toDouble(), (report.at("latency.exposure_mid_to_present_ms.count") as Json.Number).value)
        assertNotEquals(behind, inverted.count { it.id >= from })
    }

    @Test
    fun `a run over its limit fails, and says by how much`() {
        val report = write(run(limitMs = 50.0))
        assertEquals(Json.Text("fail"), report.at("verdict.state"))
        assertEquals(Json.Text("requirement_failed"), report.at("verdict.reasons.0.code"))
        assertTrue("FAIL" in File(temporary, RunFiles.TEXT).readLines())
    }

    @Test
    fun `a void run is refused, and its requirement with it`() {
        val report = write(run(debuggable = true))
        assertEquals(Json.Text("refused"), report.at("verdict.state"))
        assertEquals(Json.Text("debuggable_build"), report.at("verdict.reasons.0.code"))
        assertEquals(Json.Text("refused"), report.at("requirements.0.verdict"))
        assertFalse("PASS" in File(temporary, RunFiles.TEXT).readText())
    }

    @Test
    fun `a run without a requirement has none`() {
        assertEquals(Json.Array(emptyList()), write(run(limitMs = null)).at("requirements"))
    }

    @Test
    fun `a number that JSON cannot hold is refused, and nothing is written`() {
        assertThrows(IllegalArgumentException::class.java) { write(run(refreshHz = Double.NaN)) }
        assertEquals(emptyList<String>(), temporary.list()!!.asList())
    }

    @Test
    fun `figures fit a terminal`() {
        for (fpsLow in listOf(7, 20)) {
            write(run(fpsLow = fpsLow))
            val lines = File(temporary, RunFiles.TEXT).readLines()
            assertTrue(lines.all { it.length <= 80 }, lines.maxBy { it.length })
        }
    }

    /** The frames begin every 50 ms and 1 µs, one of seven 6 µs earlier. */
    @Test
    fun `the camera's rate is told as it was asked for and as it was had`() {
        val report = write(run(fpsLow = 7))
        val expected = mapOf(
            "width" to 1280.0,
            "height" to 960.0,
            "fps_low" to 7.0,
            "fps_high" to 20.0,
            "frame_interval_p50_ms" to 50.001,
            "frame_interval_p99_ms" to 50.001,
        )
        val found = (report.at("camera") as Json.Object).members.mapValues { (it.value as Json.Number).value }
        assertEquals(expected, found)
        val line = "camera 1280 x 960, varying 7 to 20 frames/s, every 50.00 ms (p99 50.00)"
        assertTrue(line in File(temporary, RunFiles.TEXT).readLines())
    }
}
