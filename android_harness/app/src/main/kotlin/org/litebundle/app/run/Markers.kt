package org.litebundle.app.run

import android.util.Log
import java.io.File

/** The lines in the system's log by which whoever started a run follows it. */
class Markers(private val run: String) {
    fun started() = line("STARTED")

    fun done(report: File) = line("DONE $report")

    /** The bundle or the plan was refused: nothing ran. */
    fun refused(reason: String) = line("REFUSED ${oneLine(reason)}")

    fun failed(reason: String) = line("FAILED ${oneLine(reason)}")

    private fun line(what: String) {
        Log.i(TAG, "RUN $run $what")
    }

    private fun oneLine(text: String) = text.replace(Regex("\\s+"), " ").trim()

    companion object {
        const val TAG = "litebundle"

        /** Stands for the run's name where the plan that has it could not be read. */
        const val UNNAMED = "-"
    }
}
