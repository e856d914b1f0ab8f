package org.litebundle.app.run

import android.content.Intent
import org.litebundle.core.verdict.RunKind
import java.io.File

/**
 * What the app was started for: a [plan], with the bundle in [bundle]. If that is null, an order for a report takes the
 * built-in bundle, and the launcher the one that was installed last.
 */
data class Order(val plan: Plan, val bundle: File?, val writesReport: Boolean) {
    companion object {
        const val BUNDLE = "bundle"
        const val PLAN = "plan"

        /** Opened from the launcher, the app shows a bundle live; ten minutes at a time, as a ledger ends. */
        val BuiltIn = Order(Plan("live", RunKind.LIVE, seconds = 600, recording = null), null, writesReport = false)

        /** Throws [PlanException]. */
        fun of(intent: Intent): Order {
            val plan = intent.getStringExtra(PLAN)
            val bundle = intent.getStringExtra(BUNDLE)
            return when {
                plan != null -> Order(Plan.read(File(plan)), bundle?.let(::File), writesReport = true)
                bundle != null -> throw PlanException("a bundle was given without a plan: add --es $PLAN FILE")
                else -> BuiltIn
            }
        }
    }
}
