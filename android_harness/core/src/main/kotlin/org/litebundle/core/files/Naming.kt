package org.litebundle.core.files

import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.nio.file.FileSystemException

/** Do [work] on [file]; a failure that does not name it, as that of a full disk does not, is thrown with its name. */
internal inline fun <T> naming(file: File, work: () -> T): T = try {
    work()
} catch (error: FileSystemException) {
    throw error
} catch (error: FileNotFoundException) {
    throw error
} catch (error: IOException) {
    throw FileSystemException(file.path, null, error.message).apply { initCause(error) }
}
