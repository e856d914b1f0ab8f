package org.litebundle.core.ledger

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.SensorTimes
import org.litebundle.core.clock.photonInNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp
import org.litebundle.core.frame.Exposure
import org.litebundle.core.run.StageListener
import org.litebundle.core.run.StageMark

/**
 * When each captured frame came where, and how it ended.
 *
 * Every thread may write: the camera's, the worker's, the display's. Writing allocates nothing: all memory for
 * [capacity] frames is taken at the start. A frame that comes after that is counted and has no record; [violations]
 * says so, and so the run has no headline. One frame at a time is in the stages.
 *
 * Times of exposure stay in the sensor's clock until [records] asks [sensor] for them, when it knows most about the
 * clocks. [stages] names the pipeline's stages.
 */
class Ledger(val stages: List<String>, private val capacity: Int, private val sensor: SensorTimes) {
    private val times = LongArray(Math.multiplyExact(capacity, Column.entries.size)) { ABSENT }
    private val rows = DoubleArray(capacity) { MIDDLE_ROW }
    private val marks = LongArray(Math.multiplyExact(capacity, stages.size * StageMark.entries.size)) { ABSENT }
    private val runs = IntArray(capacity * stages.size)
    private val grades = arrayOfNulls<Grade>(capacity)
    private val sources = arrayOfNulls<String>(capacity)
    private val outcomes = Array<Outcome>(capacity) { Outcome.Unfinished }
    private val misuses = ArrayList<Violation>()
    private val marker = Marker()
    private var captured = 0L

    /**
     * A frame of this time in the sensor's clock began. Its id, counted from 0, or [NO_FRAME] if the ledger is full.
     */
    @Synchronized
    fun captured(timestampNs: Long): Long {
        val frame = captured++
        if (frame >= capacity) return NO_FRAME
        times[at(frame, Column.TIMESTAMP)] = timestampNs
        return frame
    }

    @Synchronized
    fun captureResult(frame: Long, exposure: Exposure, at: MonotonicNs) {
        set(frame, Column.CAPTURE_RESULT, at.ns)
        set(frame, Column.EXPOSURE, exposure.exposureNs)
        set(frame, Column.SKEW, exposure.rollingShutterSkewNs)
    }

    @Synchronized
    fun imageAvailable(frame: Long, at: MonotonicNs) = set(frame, Column.IMAGE_AVAILABLE, at.ns)

    /** The worker took the frame. */
    @Synchronized
    fun acquired(frame: Long, at: MonotonicNs) = set(frame, Column.ACQUIRED, at.ns)

    /**
     * What the frame's result is about: [row] is its middle as a part of the picture's height. Unsaid: the middle row.
     */
    @Synchronized
    fun region(frame: Long, row: Double) {
        require(row in 0.0..1.0) { "frame $frame: row $row is not in the picture: it is a part of its height, 0 to 1" }
        if (frame != NO_FRAME) rows[frame.toInt()] = row
    }

    /** What hears the stages of [frame]; the same object each time, so the one before hears no more. */
    @Synchronized
    fun listener(frame: Long): StageListener {
        marker.frame = frame
        return marker
    }

    /** The result was about to be handed to the display. */
    @Synchronized
    fun submitted(frame: Long, at: MonotonicNs) = set(frame, Column.SUBMITTED, at.ns)

    /** The compositor took the result. */
    @Synchronized
    fun latched(frame: Long, at: MonotonicNs) = set(frame, Column.LATCHED, at.ns)

    @Synchronized
    fun presented(frame: Long, stamp: Stamp) {
        if (!end(frame, Outcome.Presented)) return
        set(frame, Column.PRESENTED, stamp.value.ns)
        set(frame, Column.PRESENTED_EARLIEST, stamp.earliest.ns)
        set(frame, Column.PRESENTED_LATEST, stamp.latest.ns)
        grades[frame.toInt()] = stamp.grade
        sources[frame.toInt()] = stamp.source
    }

    @Synchronized
    fun superseded(frame: Long) {
        end(frame, Outcome.Superseded)
    }

    @Synchronized
    fun dropped(frame: Long, cause: DropCause) {
        end(frame, DROPPED[cause.ordinal])
    }

    @Synchronized
    fun failed(frame: Long, reason: String) {
        end(frame, Outcome.Failed(reason))
    }

    /** The frames so far, in the order in which they were captured. */
    @Synchronized
    fun records(): List<FrameRecord> = List(minOf(captured, capacity.toLong()).toInt()) { record(it.toLong(), sensor) }

    /** The frame as it is now, its times of exposure by [sensor]; null for one that has no record. */
    @Synchronized
    fun find(frame: Long, sensor: SensorTimes = this.sensor): FrameRecord? =
        if (frame in 0 until minOf(captured, capacity.toLong())) record(frame, sensor) else null

    /** What of the ledger's invariants does not hold. Of a run that is over and accounted for: nothing. */
    @Synchronized
    fun violations(): List<Violation> {
        val lost = captured - capacity
        val full = if (lost >
            0
        ) {
            listOf(Violation(null, "$lost frames came when the ledger's $capacity were full"))
        } else {
            emptyList()
        }
        return full + misuses + violations(records())
    }

    private fun record(frame: Long, sensor: SensorTimes): FrameRecord {
        val timestampNs = times[at(frame, Column.TIMESTAMP)]
        val exposureNs = times[at(frame, Column.EXPOSURE)]
        val photonInNs = if (exposureNs == ABSENT) {
            null
        } else {
            Exposure(timestampNs, exposureNs, times[at(frame, Column.SKEW)], 0).photonInNs(rows[frame.toInt()])
        }
        return FrameRecord(
            id = frame,
            exposureStart = sensor.toMonotonic(timestampNs),
            exposureMid = photonInNs?.let(sensor::toMonotonic),
            captureResult = time(frame, Column.CAPTURE_RESULT),
            imageAvailable = time(frame, Column.IMAGE_AVAILABLE),
            acquired = time(frame, Column.ACQUIRED),
            stages = stages.indices.map { stageTimes(frame, it) },
            submitted = time(frame, Column.SUBMITTED),
            latched = time(frame, Column.LATCHED),
            presented = stamp(frame),
            outcome = outcomes[frame.toInt()],
        )
    }

    private fun stamp(frame: Long): Stamp? {
        val value = time(frame, Column.PRESENTED) ?: return null
        return Stamp(
            value,
            MonotonicNs(times[at(frame, Column.PRESENTED_EARLIEST)]),
            MonotonicNs(times[at(frame, Column.PRESENTED_LATEST)]),
            checkNotNull(grades[frame.toInt()]),
            checkNotNull(sources[frame.toInt()]),
        )
    }

    /**
     * Null unless the stage began and ended. One that never ran has its run, of no length, where its preparation ended.
     */
    private fun stageTimes(frame: Long, stage: Int): StageTimes? {
        fun mark(mark: StageMark) = marks[at(frame, stage, mark)]
        val preEnd = mark(StageMark.PRE_END)
        val needed =
            longArrayOf(mark(StageMark.PRE_BEGIN), preEnd, mark(StageMark.POST_BEGIN), mark(StageMark.POST_END))
        if (ABSENT in needed) return null
        val enqueued = mark(StageMark.RUN_ENQUEUED)
        val ready = mark(StageMark.RUN_READY)
        return StageTimes(
            MonotonicNs(needed[0]),
            MonotonicNs(preEnd),
            MonotonicNs(if (enqueued == ABSENT) preEnd else enqueued),
            MonotonicNs(if (ready == ABSENT) preEnd else ready),
            MonotonicNs(needed[2]),
            MonotonicNs(needed[3]),
            runs[at(frame, stage)],
        )
    }

    private fun end(frame: Long, outcome: Outcome): Boolean {
        if (frame == NO_FRAME) return false
        val before = outcomes[frame.toInt()]
        if (before != Outcome.Unfinished) {
            misuses.add(Violation(frame, "ended twice: $before, then $outcome"))
            return false
        }
        outcomes[frame.toInt()] = outcome
        return true
    }

    private fun set(frame: Long, column: Column, ns: Long) {
        if (frame == NO_FRAME) return
        val index = at(frame, column)
        if (times[index] == ABSENT) times[index] = ns else misuses.add(Violation(frame, "has a second time $column"))
    }

    private fun time(frame: Long, column: Column) = times[at(frame, column)].let {
        if (it ==
            ABSENT
        ) {
            null
        } else {
            MonotonicNs(it)
        }
    }

    private fun at(frame: Long, column: Column) = frame.toInt() * COLUMNS + column.ordinal

    private fun at(frame: Long, stage: Int) = frame.toInt() * stages.size + stage

    private fun at(frame: Long, stage: Int, mark: StageMark) = at(frame, stage) * MARKS + mark.ordinal

    private inner class Marker : StageListener {
        var frame = NO_FRAME

        override fun mark(stage: Int, mark: StageMark, at: MonotonicNs) = synchronized(this@Ledger) {
            if (frame != NO_FRAME) mark(frame, stage, mark, at)
        }
    }

    private fun mark(frame: Long, stage: Int, mark: StageMark, at: MonotonicNs) {
        if (mark == StageMark.RUN_ENQUEUED) runs[at(frame, stage)]++
        val index = at(frame, stage, mark)
        when {
            marks[index] == ABSENT || mark == StageMark.RUN_READY -> marks[index] = at.ns

            mark != StageMark.RUN_ENQUEUED -> misuses.add(
                Violation(frame, "stage '${stages[stage]}' has a second $mark"),
            )
        }
    }

    private enum class Column {
        TIMESTAMP,
        EXPOSURE,
        SKEW,
        CAPTURE_RESULT,
        IMAGE_AVAILABLE,
        ACQUIRED,
        SUBMITTED,
        LATCHED,
        PRESENTED,
        PRESENTED_EARLIEST,
        PRESENTED_LATEST,
    }

    companion object {
        /** The id of a frame that has no record; whatever is told of it is passed over. */
        const val NO_FRAME = -1L

        private const val ABSENT = Long.MIN_VALUE
        private const val MIDDLE_ROW = 0.5
        private val COLUMNS = Column.entries.size
        private val MARKS = StageMark.entries.size
        private val DROPPED = DropCause.entries.map { Outcome.Dropped(it) }
    }
}
