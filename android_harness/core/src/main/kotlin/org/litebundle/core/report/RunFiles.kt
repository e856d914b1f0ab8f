package org.litebundle.core.report

import org.litebundle.core.files.WholeFiles
import java.io.File
import java.io.IOException
import java.io.OutputStream
import java.io.Writer

/** The four files of a run (docs/harness.md, "The files of a run"). */
object RunFiles {
    const val SAMPLES = "samples.csv"
    const val TRACE = "trace.perfetto-trace"
    const val TEXT = "report.txt"

    /** Written last: where it is, all four are there and whole. */
    const val REPORT = "report.json"

    /** Write all four into [folder]. Throws [IOException], and then leaves none. */
    fun write(folder: File, data: RunData) = WholeFiles(
        listOf(
            SAMPLES to text { CsvForm(data, it).write() },
            TRACE to { out -> TraceForm(data, out).write() },
            TEXT to text { TextForm(data, it).write() },
            REPORT to text { JsonForm(data, it).write() },
        ),
    ).write(folder)

    private fun text(write: (Writer) -> Unit): (OutputStream) -> Unit = { out ->
        val writer = out.writer().buffered()
        write(writer)
        writer.flush()
    }
}
