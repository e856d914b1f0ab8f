package org.litebundle.core.stats

import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.Grade
import org.litebundle.core.display.Stamp
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.StageTimes
import org.litebundle.core.power.EnergyPerResult
import org.litebundle.core.power.EnergySample
import org.litebundle.core.power.ThermalJoin
import org.litebundle.core.power.ThermalSample

/**
 * All figures of a run. Durations are in ns; a distribution is null if it has no samples.
 *
 * "Start" is the begin of exposure of the first row, "mid" the middle of exposure of the row that the result is about;
 * from mid to presentation is the capture-to-display latency.
 *
 * @property frameInterval null: no two neighbouring frames have known exposures.
 * @property steadyFrom id of the frame whose result begins the steady state: it and all results presented behind it
 *     are of it ([Mser5] over the latencies from mid to presentation in the first minute, what was presented up to the
 *     result of the first frame worked on left out); null: there is none, and so no distribution.
 * @property displayed results presented in the steady state whose exposure is known.
 * @property startToPresent how old results are when they come on the screen.
 * @property midToEarliest [midToPresent], had each result come as early as its stamp allows; [midToLatest]: as late.
 * @property startToReplaced how old a result is just before a later one takes its place: from its own exposure to the
 *     presentation of the later one.
 * @property resultInterval between the presentations of results in a row.
 * @property minuteOne of results presented in the first minute of the steady state; [sustained]: of all later ones.
 * @property curve per second of the run.
 */
data class Summary(
    val frames: FrameCounts,
    val frameInterval: FrameInterval?,
    val display: DisplayEvidence?,
    val coldStart: ColdStart,
    val steadyFrom: Long?,
    val displayed: Int,
    val startToPresent: Distribution?,
    val midToPresent: Distribution?,
    val midToEarliest: Distribution?,
    val midToLatest: Distribution?,
    val startToReplaced: Distribution?,
    val midToReplaced: Distribution?,
    val resultInterval: Distribution?,
    val stages: List<StageSummary>,
    val minuteOne: Phase,
    val sustained: Phase,
    val curve: List<CurvePoint>,
    val energy: EnergyPerResult?,
) {
    companion object {
        /**
         * @param records the run's, in the order of capture.
         * @param stages names of the pipeline's stages.
         * @param loadNs how long it took to open the bundle and load its models; null: not measured.
         */
        fun of(
            records: List<FrameRecord>,
            stages: List<String>,
            thermal: List<ThermalSample> = emptyList(),
            energy: List<EnergySample> = emptyList(),
            loadNs: Long? = null,
        ): Summary {
            val shown = shown(records)
            val steady = steady(shown, records)
            val steadyFrom = steady.firstOrNull()?.record?.id
            val minuteEnd = steady.firstOrNull()?.let { it.at + MINUTE_NS }
            val (early, late) = steady.partition { minuteEnd != null && it.at < minuteEnd }
            val worked = records.filter { steadyFrom != null && it.id >= steadyFrom }.map { it.stages }
            return Summary(
                frames = FrameCounts.of(records),
                frameInterval = FrameInterval.of(records),
                display = DisplayEvidence.of(shown.map { it.stamp }),
                coldStart = ColdStart.of(records, loadNs),
                steadyFrom = steadyFrom,
                displayed = steady.size,
                startToPresent = distribution(steady) { it.startToPresentNs },
                midToPresent = distribution(steady) { it.midToPresentNs },
                midToEarliest = distribution(steady) { it.midToEarliestNs },
                midToLatest = distribution(steady) { it.midToLatestNs },
                startToReplaced = distribution(steady) { it.startToReplacedNs },
                midToReplaced = distribution(steady) { it.midToReplacedNs },
                resultInterval = distribution(steady) { it.intervalNs },
                stages = stages.mapIndexed { i, name -> StageSummary.of(name, worked.mapNotNull { it.getOrNull(i) }) },
                minuteOne = Phase.of(early),
                sustained = Phase.of(late),
                curve = curve(shown, ThermalJoin(thermal)),
                energy = EnergyPerResult.of(energy, shown.map { it.at }),
            )
        }
    }
}

/** Frames by how they ended. They add up: [captured] is the sum of all others but [withoutClock]. */
data class FrameCounts(
    val captured: Int,
    val presented: Int,
    val superseded: Int,
    val dropped: Map<DropCause, Int>,
    val failed: Int,
    val unfinished: Int,
    /** Of those presented, the ones whose exposure is not known, so that they have no latency. */
    val withoutClock: Int,
) {
    companion object {
        fun of(records: List<FrameRecord>) = FrameCounts(
            captured = records.size,
            presented = records.count { it.outcome == Outcome.Presented },
            superseded = records.count { it.outcome == Outcome.Superseded },
            dropped = DropCause.entries.associateWith { cause ->
                records.count { it.outcome == Outcome.Dropped(cause) }
            },
            failed = records.count { it.outcome is Outcome.Failed },
            unfinished = records.count { it.outcome == Outcome.Unfinished },
            withoutClock = records.count { it.outcome == Outcome.Presented && it.exposureMid == null },
        )
    }
}

/** Between the starts of exposure of neighbouring frames, exact quantiles: how often the camera really took one. */
data class FrameInterval(val p50Ns: Long, val p99Ns: Long) {
    companion object {
        fun of(records: List<FrameRecord>): FrameInterval? {
            val sorted = samples(records.zipWithNext()) { (one, next) ->
                one.exposureStart?.let { start -> next.exposureStart?.let { it - start } }
            }.sortedArray()
            if (sorted.isEmpty()) return null
            return FrameInterval(Percentiles.exact(sorted, 50), Percentiles.exact(sorted, 99))
        }
    }
}

/** How times of presentation are known: the worst [grade] of the run, what told it, and how many results have which. */
data class DisplayEvidence(val grade: Grade, val source: String, val results: Map<Grade, Int>) {
    companion object {
        fun of(stamps: List<Stamp>): DisplayEvidence? {
            val worst = stamps.maxByOrNull { it.grade } ?: return null
            return DisplayEvidence(worst.grade, worst.source, stamps.groupingBy { it.grade }.eachCount())
        }
    }
}

/**
 * What the steady state leaves out: [loadNs] to open the bundle and load its models; of the first frame that was worked
 * on, from taking it to handing its result to the display, and from mid to presentation. Null: not measured, or it did
 * not come so far.
 */
data class ColdStart(val loadNs: Long?, val firstInferenceNs: Long?, val firstResultNs: Long?) {
    companion object {
        fun of(records: List<FrameRecord>, loadNs: Long?): ColdStart {
            val first = records.filter { it.acquired != null }.minByOrNull { checkNotNull(it.acquired) }
            return ColdStart(
                loadNs,
                between(first?.acquired, first?.submitted),
                between(first?.exposureMid, first?.presented?.value),
            )
        }

        private fun between(from: MonotonicNs?, to: MonotonicNs?) = if (from == null || to == null) null else to - from
    }
}

/** Times of a stage in the frames of the steady state in which it was reached ([StageTimes]). */
data class StageSummary(val name: String, val pre: Distribution?, val run: Distribution?, val post: Distribution?) {
    companion object {
        internal fun of(name: String, times: List<StageTimes>) = StageSummary(
            name,
            distribution(times) { it.preNs },
            distribution(times) { it.runNs },
            distribution(times) { it.postNs },
        )
    }
}

/** Latency in a part of the run. */
data class Phase(val startToPresent: Distribution?, val midToPresent: Distribution?) {
    companion object {
        internal fun of(shown: List<Shown>) =
            Phase(distribution(shown) { it.startToPresentNs }, distribution(shown) { it.midToPresentNs })
    }
}

/**
 * A second of the run, counted from the first presentation: its results, their latency from mid to presentation (null:
 * none is known), and the heat at its end.
 */
data class CurvePoint(
    val second: Int,
    val results: Int,
    val p50Ns: Long?,
    val p90Ns: Long?,
    val thermal: ThermalSample?,
)

/** A presented result; [next] is when a later one took its place. */
internal class Shown(val record: FrameRecord, val stamp: Stamp, val next: MonotonicNs?) {
    val at get() = stamp.value
    val startToPresentNs get() = record.exposureStart?.let { at - it }
    val midToPresentNs get() = record.exposureMid?.let { at - it }
    val midToEarliestNs get() = record.exposureMid?.let { stamp.earliest - it }
    val midToLatestNs get() = record.exposureMid?.let { stamp.latest - it }
    val startToReplacedNs get() = next?.let { next -> record.exposureStart?.let { next - it } }
    val midToReplacedNs get() = next?.let { next -> record.exposureMid?.let { next - it } }
    val intervalNs get() = next?.let { it - at }
}

private const val SECOND_NS = 1_000_000_000L
private const val MINUTE_NS = 60 * SECOND_NS

/** In the order of presentation. */
private fun shown(records: List<FrameRecord>): List<Shown> {
    val presented = records
        .filter { it.outcome == Outcome.Presented && it.presented != null }
        .sortedBy { checkNotNull(it.presented).value }
    return presented.mapIndexed { i, record ->
        Shown(record, checkNotNull(record.presented), presented.getOrNull(i + 1)?.presented?.value)
    }
}

/**
 * The results of the steady state whose exposure is known. Warm-up is looked for in the first minute: what changes
 * later, as by heat, is how the device sustains the work, and counts.
 */
private fun steady(shown: List<Shown>, records: List<FrameRecord>): List<Shown> {
    val cold = records.filter { it.acquired != null }.minByOrNull { checkNotNull(it.acquired) }?.id
    val warm = shown.drop(shown.indexOfFirst { it.record.id == cold } + 1).filter { it.midToPresentNs != null }
    val end = shown.firstOrNull()?.let { it.at + MINUTE_NS }
    val from = Mser5.steadyFrom(samples(warm.filter { end != null && it.at < end }) { it.midToPresentNs })
    return if (from == null) emptyList() else warm.drop(from)
}

private fun curve(shown: List<Shown>, thermal: ThermalJoin): List<CurvePoint> {
    val begin = shown.firstOrNull()?.at ?: return emptyList()
    val seconds = shown.groupBy { ((it.at - begin) / SECOND_NS).toInt() }
    return (0..seconds.keys.max()).map { second ->
        val results = seconds[second].orEmpty()
        val sorted = samples(results) { it.midToPresentNs }.sortedArray()
        CurvePoint(
            second,
            results.size,
            if (sorted.isEmpty()) null else Percentiles.exact(sorted, 50),
            if (sorted.isEmpty()) null else Percentiles.exact(sorted, 90),
            thermal.at(begin + (second + 1) * SECOND_NS),
        )
    }
}

private inline fun <T> distribution(items: List<T>, durationNs: (T) -> Long?) =
    Distribution.of(samples(items, durationNs))

private inline fun <T> samples(items: List<T>, durationNs: (T) -> Long?) = items.mapNotNull(durationNs).toLongArray()
