package org.litebundle.app.run

import android.content.Intent
import org.litebundle.core.verdict.RunKind
import java.io.File

/** What the app was started for. */
sealed interface Order {
    val plan: Plan

    /** Whether whoever gave it follows it in the system's log. */
    val isFollowed: Boolean

    companion object {
        const val BUNDLE = "bundle"
        const val PLAN = "plan"

        /** Opened from the launcher, the app shows a bundle live; ten minutes at a time, as a ledger ends. */
        val BuiltIn = RunOrder(RunPlan("live", RunKind.LIVE, seconds = 600, recording = null), null, false)

        /** Throws [PlanException]. */
        fun of(intent: Intent): Order {
            val plan = intent.getStringExtra(PLAN)
            val bundle = intent.getStringExtra(BUNDLE)
            if (plan == null) {
                if (bundle != null) throw PlanException("a bundle was given without a plan: add --es $PLAN FILE")
                return BuiltIn
            }
            return when (val read = Plan.read(File(plan))) {
                is RunPlan -> RunOrder(read, bundle?.let(::File), writesReport = true)

                is RecordPlan -> {
                    if (bundle != null) throw PlanException("$plan: a recording runs no bundle: leave --es $BUNDLE out")
                    RecordOrder(read)
                }
            }
        }
    }
}

/**
 * Run the bundle in [bundle]. If that is null, an order for a report takes the built-in bundle, and the launcher the one
 * that was installed last.
 */
data class RunOrder(override val plan: RunPlan, val bundle: File?, val writesReport: Boolean) : Order {
    override val isFollowed get() = writesReport
}

/** Record the camera's frames. */
data class RecordOrder(override val plan: RecordPlan) : Order {
    override val isFollowed get() = true
}
