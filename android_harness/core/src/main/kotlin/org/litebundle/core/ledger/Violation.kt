package org.litebundle.core.ledger

import org.litebundle.core.clock.MonotonicNs

/** An invariant of the ledger that does not hold: of [frame], or of the whole run. */
data class Violation(val frame: Long?, val rule: String) {
    override fun toString() = if (frame == null) rule else "frame $frame: $rule"
}

/**
 * What of the invariants does not hold: each frame ended, times go up, stages add up, and a presented one was
 * presented.
 */
fun violations(records: List<FrameRecord>): List<Violation> = records.flatMap { record ->
    listOfNotNull(ending(record)) + disorder(record) + listOfNotNull(sum(record))
}

private fun ending(record: FrameRecord): Violation? = when (record.outcome) {
    Outcome.Unfinished -> Violation(record.id, "never ended")

    Outcome.Presented -> {
        val missing = record.presented == null || record.submitted == null
        broken(record, missing, "presented but not submitted")
    }

    Outcome.Superseded -> broken(record, record.submitted == null, "superseded but not submitted")

    is Outcome.Dropped -> broken(record, record.acquired != null, "dropped although the pipeline took it")

    is Outcome.Failed -> null
}

private fun broken(record: FrameRecord, broken: Boolean, rule: String) =
    if (broken) Violation(record.id, rule) else null

/**
 * The camera sends a capture result and its image in any order; the picture is exposed before it is available, but a
 * result may be known before the exposure ends.
 */
private fun disorder(record: FrameRecord): List<Violation> = with(record) {
    val stages = stages.filterNotNull().flatMap {
        listOf(it.preBegin, it.preEnd, it.runEnqueued, it.runReady, it.postBegin, it.postEnd)
    }
    val shown = listOf(submitted, latched, presented?.value)
    val way = listOf(exposureStart, exposureMid, imageAvailable, acquired) + stages + shown
    val disorder = listOf(way, listOf(exposureStart, captureResult, acquired)).any { !rises(it) }
    val stamped = presented?.let { it.value in it.earliest..it.latest } ?: true
    return listOfNotNull(
        if (disorder) Violation(id, "its times do not go up: $way, capture result $captureResult") else null,
        if (stamped) null else Violation(id, "presented outside its own interval: $presented"),
    )
}

private fun rises(times: List<MonotonicNs?>) = times.filterNotNull().zipWithNext().all { (a, b) -> a <= b }

/** Parts that overlap and parts that leave a gap could make up for each other; the overlap is a disorder. */
private fun sum(record: FrameRecord): Violation? {
    val ran = record.stages.filterNotNull()
    if (ran.isEmpty()) return null
    val totalNs = ran.last().postEnd - ran.first().preBegin
    val sumNs = ran.sumOf { it.preNs + it.runNs + it.postNs }
    return broken(record, sumNs != totalNs, "its stages sum to $sumNs ns, and took $totalNs ns")
}
