package org.litebundle.app.run

import android.content.Context
import android.view.Surface
import org.litebundle.app.camera.CameraChoice
import org.litebundle.core.recording.INDEX
import org.litebundle.core.recording.RecordingException
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException

/** Hears how a [RecordJob] gets on, on the main thread. */
interface RecordJobListener : JobListener {
    /** The recording is whole: of its [frames], [lost] have no picture. */
    fun recorded(frames: Int, lost: Int)
}

/** One recording, in a folder of its run's name for whoever started it to pull. */
class RecordJob(private val context: Context, private val record: RecordOrder, private val hears: RecordJobListener) :
    Job(record, hears) {
    private var session: RecordSession? = null

    /** Record for as long as the plan says; the camera's picture goes to [preview] too, if there is one. */
    fun run(choice: CameraChoice, preview: Surface?) = work {
        try {
            val folders = Storage.recordings(context)
                ?: throw FileNotFoundException("the shared storage is not mounted any more")
            val folder = File(folders, record.plan.run)
            val live = RecordSession(context, choice, preview, record.plan.seconds, folder, ::fail)
            session = live
            started()
            live.start()
            finishAfter(record.plan.seconds) { write(live, folder) }
        } catch (error: RecordingException) {
            refuse(error.message.orEmpty())
        } catch (error: IOException) {
            refuse(error.message.orEmpty())
        }
    }

    private fun write(live: RecordSession, folder: File): File {
        val recording = live.finish()
        val lost = recording.frames.count { it.file == null }
        tell { hears.recorded(recording.frames.size, lost) }
        return File(folder, INDEX)
    }

    override fun abandon() {
        session?.discard()
    }

    override fun close() = Unit

    companion object {
        /** What an app that was ended in mid-recording left takes up room, and nobody can read it. */
        fun removeCutOff(context: Context) {
            for (folder in Storage.recordings(context)?.listFiles().orEmpty()) {
                if (!File(folder, INDEX).exists()) folder.deleteRecursively()
            }
        }
    }
}
