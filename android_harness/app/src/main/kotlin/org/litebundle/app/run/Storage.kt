package org.litebundle.app.run

import android.content.Context
import android.os.StatFs
import org.litebundle.app.camera.CameraChoice
import java.io.File

/** Bytes that an order needs on the device, and those that are free. */
data class Storage(val neededBytes: Long, val freeBytes: Long) {
    val suffices get() = freeBytes >= neededBytes

    companion object {
        /** For a report, or for the index of a recording; the system stays well with it free. */
        private const val SPARE_BYTES = 64L shl 20

        /** Y has one, and U and V half of one each where they lie in each other; rows are padded by less than a half. */
        private const val MOST_BYTES_PER_PIXEL = 3L

        /** Where runs have their folders, for `adb pull`; null while the shared storage is not mounted. */
        fun reports(context: Context): File? = shared(context, "runs")

        /** Where recordings have theirs. */
        fun recordings(context: Context): File? = shared(context, "recordings")

        private fun shared(context: Context, name: String) = context.getExternalFilesDir(null)?.let { File(it, name) }

        /** [bundle] is copied into a slot; null: it is in the app already. */
        fun of(folder: File, bundle: File?) = Storage(SPARE_BYTES + (bundle?.length() ?: 0), free(folder))

        /** What [choice] may give in [seconds], all of it written into [folder]. */
        fun of(folder: File, choice: CameraChoice, seconds: Int): Storage {
            val frameBytes = MOST_BYTES_PER_PIXEL * choice.size.width * choice.size.height
            return Storage(SPARE_BYTES + seconds * choice.framesPerSecond.upper * frameBytes, free(folder))
        }

        private fun free(folder: File) = StatFs(folder.path).availableBytes
    }
}
