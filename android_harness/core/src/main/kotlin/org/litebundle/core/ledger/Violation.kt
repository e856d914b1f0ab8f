package org.litebundle.core.ledger

import org.litebundle.core.clock.MonotonicNs

/** An invariant of the ledger that does not hold: of [frame], or of the whole run. */
data class Violation(val frame: Long?, val rule: String) {
    override fun toString() = if (frame == null) rule else "frame $frame: $rule"
}

/**
 * A part of a presented frame's way, in ns. The stages of a frame with no stage are left out.
 *
 * @see segments
 */
data class Segment(val name: String, val ns: Long)

/**
 * The way of a presented frame from the begin of its exposure to its presentation, part by part; null unless it is
 * known from one end to the other. The parts add up to the total to the ns, unless the stages leave a gap or overlap,
 * which [violations] finds.
 *
 * [stages] names the stages, as in the ledger.
 */
fun FrameRecord.segments(stages: List<String>): List<Segment>? {
    val ran = this.stages.withIndex().mapNotNull { (i, times) -> times?.let { stages[i] to it } }
    val before = steps(
        "capture" to exposureStart,
        "queue" to imageAvailable,
        "convert" to acquired,
        null to (ran.firstOrNull()?.second?.preBegin ?: submitted),
    )
    val after = steps(
        "submit" to (ran.lastOrNull()?.second?.postEnd ?: submitted),
        "compose" to submitted,
        null to presented?.value,
    )
    if (before == null || after == null) return null
    val within = ran.flatMap { (name, times) ->
        listOf(
            Segment("$name.pre", times.preNs),
            Segment("$name.run", times.runNs),
            Segment("$name.post", times.postNs),
        )
    }
    return before + within + after
}

private fun steps(vararg points: Pair<String?, MonotonicNs?>): List<Segment>? {
    if (points.any { it.second == null }) return null
    return points.asList().zipWithNext { (name, from), (_, to) ->
        Segment(
            checkNotNull(name),
            checkNotNull(to) - checkNotNull(from),
        )
    }
}

/**
 * What of the invariants does not hold: each frame ended, times go up, stages add up, and a presented one was
 * presented.
 */
fun violations(records: List<FrameRecord>): List<Violation> = records.flatMap { record ->
    listOfNotNull(ending(record)) + disorder(record) + listOfNotNull(gap(record))
}

private fun ending(record: FrameRecord): Violation? = when (record.outcome) {
    Outcome.Unfinished -> Violation(record.id, "never ended")

    Outcome.Presented -> missing(
        record,
        record.presented == null || record.submitted == null,
        "presented but not submitted",
    )

    Outcome.Superseded -> missing(record, record.submitted == null, "superseded but not submitted")

    is Outcome.Dropped -> missing(record, record.acquired != null, "dropped although the pipeline took it")

    is Outcome.Failed -> null
}

private fun missing(record: FrameRecord, broken: Boolean, rule: String) =
    if (broken) Violation(record.id, rule) else null

/**
 * The camera sends a capture result and its image in any order; the picture is exposed before it is available, but a
 * result may be known before the exposure ends.
 */
private fun disorder(record: FrameRecord): List<Violation> = with(record) {
    val stages = stages.filterNotNull().flatMap {
        listOf(it.preBegin, it.preEnd, it.runEnqueued, it.runReady, it.postBegin, it.postEnd)
    }
    val way =
        listOf(exposureStart, exposureMid, imageAvailable, acquired) + stages +
            listOf(submitted, latched, presented?.value)
    val broken = listOf(way, listOf(exposureStart, captureResult, acquired)).any { !rises(it) }
    val stamped = presented?.let { it.value in it.earliest..it.latest } ?: true
    return listOfNotNull(
        if (broken) Violation(id, "its times do not go up: $way, capture result $captureResult") else null,
        if (stamped) null else Violation(id, "presented outside its own interval: $presented"),
    )
}

private fun rises(times: List<MonotonicNs?>) = times.filterNotNull().zipWithNext().all { (a, b) -> a <= b }

private fun gap(record: FrameRecord): Violation? = record.stages.filterNotNull().zipWithNext()
    .firstOrNull { (a, b) -> a.postEnd != b.preBegin }
    ?.let { (a, b) ->
        Violation(record.id, "its stages do not sum to their total: ${b.preBegin - a.postEnd} ns between two")
    }
