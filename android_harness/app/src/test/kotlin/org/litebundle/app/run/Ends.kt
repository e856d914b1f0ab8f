package org.litebundle.app.run

import java.io.File

/** Notes in [ends] how a job ended. */
open class Ends(private val ends: MutableList<String>) : JobListener {
    override fun done(file: File?) {
        ends.add("done")
    }

    override fun refused(reason: String) {
        ends.add("refused")
    }

    override fun failed(reason: String) {
        ends.add("failed")
    }
}
