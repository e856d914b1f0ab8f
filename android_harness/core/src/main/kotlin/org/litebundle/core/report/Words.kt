package org.litebundle.core.report

import org.litebundle.core.ledger.Outcome

private const val NS_PER_MS = 1e6

internal fun milliseconds(durationNs: Long) = durationNs / NS_PER_MS

internal fun id(outcome: Outcome) = when (outcome) {
    Outcome.Presented -> "presented"
    Outcome.Superseded -> "superseded"
    is Outcome.Dropped -> "dropped"
    is Outcome.Failed -> "failed"
    Outcome.Unfinished -> "unfinished"
}
