package org.litebundle.app.run

import android.content.Context
import android.os.StatFs
import java.io.File

/** Bytes that a run needs on the device, and those that are free. */
data class Storage(val neededBytes: Long, val freeBytes: Long) {
    val suffices get() = freeBytes >= neededBytes

    companion object {
        private const val REPORT_BYTES = 64L shl 20

        /** Where runs have their folders, for `adb pull`; null while the shared storage is not mounted. */
        fun reports(context: Context): File? = context.getExternalFilesDir(null)?.let { File(it, "runs") }

        /** [bundle] is copied into a slot; null: it is in the app already. */
        fun of(folder: File, bundle: File?) =
            Storage(REPORT_BYTES + (bundle?.length() ?: 0), StatFs(folder.path).availableBytes)
    }
}
