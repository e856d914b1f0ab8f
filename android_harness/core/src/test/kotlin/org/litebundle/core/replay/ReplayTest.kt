package org.litebundle.core.replay

import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.list
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import org.litebundle.core.clock.ClockOffset
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.frame.ColorRange
import org.litebundle.core.frame.ColorStandard
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.Plane
import org.litebundle.core.frame.YuvImage
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.recording.RecordedClock
import org.litebundle.core.recording.Recording
import org.litebundle.core.recording.RecordingInfo
import org.litebundle.core.recording.RecordingWriter
import org.litebundle.core.run.FramePipeline
import org.litebundle.core.run.StageMark
import java.io.File
import java.nio.ByteBuffer
import kotlin.concurrent.thread

private const val MS = 1_000_000L

class ReplayTest {
    @TempDir
    lateinit var temporary: File
    private val picture = Plane(ByteBuffer.allocate(1), 1, 1).let {
        YuvImage(1, 1, it, it, it, ColorStandard.BT601, ColorRange.FULL)
    }

    /** What came of a frame whose exposure began at [beganMs] for 4 ms. */
    private class Came(val beganMs: Long, val resultMs: Long?, val imageMs: Long?)

    private var recordings = 0

    private fun record(
        frames: List<Came>,
        clock: RecordedClock = RecordedClock.Monotonic,
        aheadNs: Long = 0,
    ): Recording {
        val folder = File(temporary, "recording${recordings++}")
        val writer = RecordingWriter(folder, RecordingInfo("2026-01-02T03:04:05Z", "a test", 0))
        for (frame in frames) {
            val exposure = Exposure(frame.beganMs * MS + aheadNs, 4 * MS, 2 * MS, 30 * MS)
            val result = frame.resultMs?.let { MonotonicNs(it * MS) }
            if (frame.imageMs == null) {
                writer.addLost(exposure, result)
            } else {
                writer.add(exposure, result, MonotonicNs(frame.imageMs * MS), picture)
            }
        }
        writer.finish(clock)
        return Recording.open(folder)
    }

    /** Frames 30 ms apart, each complete 10 ms after its exposure began, the first at 10 ms. */
    private fun steady(count: Int) = List(count) { Came(30L * it, 30L * it + 5, 30L * it + 10) }

    /** Two stages that take no time by themselves; the second runs its model twice. Each time is read once. */
    private fun pipeline(clock: MonotonicClock) = FramePipeline { _, listener ->
        var now = clock.now()
        for (stage in 0..1) {
            listener.mark(stage, StageMark.PRE_BEGIN, now)
            now = clock.now()
            listener.mark(stage, StageMark.PRE_END, now)
            repeat(stage + 1) {
                listener.mark(stage, StageMark.RUN_ENQUEUED, now)
                now = clock.now()
                listener.mark(stage, StageMark.RUN_READY, now)
            }
            listener.mark(stage, StageMark.POST_BEGIN, now)
            now = clock.now()
            listener.mark(stage, StageMark.POST_END, now)
        }
    }

    private fun costs(runMs: Long, otherMs: Long = 0) = ReplayCosts(
        refreshHz = 100.0,
        convertNs = 0,
        stages = mapOf(
            "one" to StageCost(otherMs * MS, runMs * MS, otherMs * MS),
            "two" to StageCost(0, 0, 0),
        ),
    )

    private fun replay(recording: Recording) = Replay(recording, listOf("one", "two"), { _, _ -> }, ::pipeline)

    private fun virtual(recording: Recording, costs: ReplayCosts): Ledger = replay(recording).virtual(costs)
        .also { assertEquals(emptyList<Any>(), it.violations()) }

    private fun List<FrameRecord>.with(outcome: Outcome) = filter { it.outcome == outcome }.map { it.id.toInt() }

    @Test
    fun `work that is shorter than the interval of frames drops none`() {
        val records = virtual(record(steady(5)), costs(runMs = 29)).records()
        assertEquals((0..4).toList(), records.with(Outcome.Presented))
        assertEquals(List(5) { 30L * it + 10 }, records.map { it.acquired!!.ns / MS })
        assertEquals(List(5) { 30L * it + 39 }, records.map { it.submitted!!.ns / MS })
    }

    @Test
    fun `work of 50 ms on frames 30 ms apart drops those that the queueing by hand drops`() {
        // Complete at 10, 40, 70, 100, 130, 160, 190, 220. Work: 0 at 10–60; then newest is 1 (40): 60–110; newest is
        // 3 (100), 2 was replaced: 110–160; 5 comes at 160 and replaces 4: 160–210; 6 (190): 210–260; 7 (220): 260–310.
        val records = virtual(record(steady(8)), costs(runMs = 50)).records()
        assertEquals(listOf(2, 4), records.with(Outcome.Dropped(DropCause.BUSY)))
        assertEquals(listOf(0, 1, 3, 5, 6, 7), records.with(Outcome.Presented))
        assertEquals(listOf<Long>(10, 60, 110, 160, 210, 260), records.mapNotNull { it.acquired }.map { it.ns / MS })
    }

    @Test
    fun `work takes what the costs say, each at its place`() {
        val costs = ReplayCosts(
            refreshHz = 100.0,
            convertNs = 1 * MS,
            stages = mapOf("one" to StageCost(2 * MS, 3 * MS, 4 * MS), "two" to StageCost(5 * MS, 6 * MS, 7 * MS)),
        )
        val frame = virtual(record(steady(1)), costs).records().single()
        val (one, two) = frame.stages.map { it!! }
        assertEquals(
            listOf<Long>(1, 2, 3, 4),
            listOf(one.preBegin - frame.acquired!!, one.preNs, one.runNs, one.postNs).map {
                it /
                    MS
            },
        )
        assertEquals(listOf<Long>(5, 12, 7), listOf(two.preNs, two.runNs, two.postNs).map { it / MS })
        assertEquals(2, two.runs)
        assertEquals(34 * MS, frame.submitted!! - frame.acquired)
    }

    @Test
    fun `presentation is one period after the next vsync, and of two results before it the newer wins`() {
        // Vsyncs every 10 ms from the first event on, at 5 ms. Frame 0 is submitted at 10 + 3 = 13: next vsync 15, on the
        // screen at 25. Frames 1 and 2, at 28 and 31, have vsyncs 35 and 35: the newer one is shown at 45.
        val frames = listOf(Came(0, 5, 10), Came(20, 22, 25), Came(23, 26, 28))
        val records = virtual(record(frames), costs(runMs = 3)).records()
        assertEquals(listOf(1), records.with(Outcome.Superseded))
        assertEquals(listOf(25L, null, 45L), records.map { it.presented?.let { stamp -> stamp.value.ns / MS } })
    }

    @Test
    fun `halves of frames that never came are dropped as the ledger says`() {
        val frames =
            listOf(Came(0, 5, 10), Came(30, null, 40), Came(60, 65, null), Came(90, null, null), Came(120, 140, 130))
        val records = virtual(record(frames), costs(runMs = 1)).records()
        assertEquals(listOf(1, 2), records.with(Outcome.Dropped(DropCause.QUEUE)))
        assertEquals(listOf(3), records.with(Outcome.Dropped(DropCause.CAMERA)))
        assertEquals(listOf(0, 4), records.with(Outcome.Presented))
        assertEquals(140 * MS, records[4].acquired!!.ns)
    }

    @Test
    fun `a sensor whose clock is 38 hours ahead gives the same latencies, and one that is undecided gives none`() {
        val aheadNs = 38 * 3600 * 1000 * MS
        val costs = costs(runMs = 5)
        val same = virtual(record(steady(3)), costs).records()
        val boottime = RecordedClock.Boottime(ClockOffset(aheadNs - 300, aheadNs + 300))
        assertEquals(same, virtual(record(steady(3), boottime, aheadNs), costs).records())
        val undecided = virtual(record(steady(3), RecordedClock.Undecided), costs).records()
        assertEquals(same.map { it.presented }, undecided.map { it.presented })
        undecided.forEach { assertNull(it.exposureStart ?: it.exposureMid) }
    }

    @Test
    fun `whatever comes when, each frame ends once and the same twice`(): Unit = runBlocking {
        checkAll(100, Arb.list(Arb.long(1L..60L), 0..20), Arb.int(0..80), Arb.int(0..5)) { gaps, runMs, otherMs ->
            var at = 0L
            val frames = gaps.mapIndexed { i, gap ->
                at += gap
                Came(at, (at + 5 + gap % 7).takeIf { gap % 11 != 3L }, (at + 70 + i).takeIf { gap % 13 != 5L })
            }
            if (frames.all { it.imageMs == null }) return@checkAll
            val recording = record(frames)
            val costs = costs(runMs.toLong(), otherMs.toLong())
            val once = virtual(recording, costs).records()
            assertEquals(frames.size, once.size)
            assertEquals(once, virtual(recording, costs).records())
        }
    }

    @Test
    fun `at the pace of the wall clock every frame ends, none before it could`() {
        val recording = record(List(12) { Came(4L * it, 4L * it + 6, 4L * it + 7) })
        val ledger = replay(recording).real(refreshHz = 100.0)
        assertEquals(emptyList<Any>(), ledger.violations())
        val records = ledger.records()
        assertEquals(12, records.size)
        assertTrue(records.any { it.outcome == Outcome.Presented })
        assertEquals(11 * 4 * MS, records.last().exposureStart!! - records.first().exposureStart!!)
        for (record in records) assertTrue(record.imageAvailable!! - record.exposureStart!! >= 7 * MS)
    }

    @Test
    fun `an interrupt ends a replay at the pace of the wall clock, and its camera`() {
        val recording = record(listOf(Came(0, 6, 7), Came(3_600_000, 3_600_006, 3_600_007)))
        var ended: Exception? = null
        val worker = thread {
            try {
                replay(recording).real(refreshHz = 100.0)
            } catch (error: InterruptedException) {
                ended = error
            }
        }
        worker.interrupt()
        worker.join(60_000)
        assertTrue(ended is InterruptedException)
        assertTrue(Thread.getAllStackTraces().keys.none { it.name == "recorded camera" })
    }

    @Test
    fun `costs are read in milliseconds, and refused by name`() {
        val text = """{"format_version": "1.0", "refresh_hz": 60, "convert_ms": 1.5,
            "stages": {"a": {"pre_ms": 0, "run_ms": 12.25, "post_ms": 1e-3}}}"""
        val costs = ReplayCosts(60.0, 1_500_000, mapOf("a" to StageCost(0, 12_250_000, 1_000)))
        assertEquals(costs, ReplayCosts.parse(Json.parse(text), listOf("a")))
        for ((truth, lie, named) in listOf(
            Triple("\"1.0\"", "\"2.0\"", "format_version"),
            Triple("60", "0", "refresh_hz"),
            Triple("1.5", "-1", "convert_ms"),
            Triple("12.25", "\"12\"", "stages.a.run_ms"),
            Triple("\"a\"", "\"b\"", "stages"),
            Triple("\"pre_ms\": 0,", "", "stages.a.pre_ms"),
        )) {
            val error =
                assertThrows(JsonException::class.java) {
                    ReplayCosts.parse(Json.parse(text.replace(truth, lie)), listOf("a"))
                }
            assertTrue(named in error.message!!, error.message)
        }
        assertThrows(JsonException::class.java) { ReplayCosts.parse(Json.parse(text), listOf("a", "b")) }
    }
}
