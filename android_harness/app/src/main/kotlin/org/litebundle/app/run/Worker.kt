package org.litebundle.app.run

import android.os.Handler
import android.os.HandlerThread
import java.io.Closeable

/**
 * A thread with a looper. An exception on it goes to [onFailure], so that the run it belongs to says that it failed;
 * unhandled, it would end the app without a word to who started the run.
 */
class Worker(name: String, onFailure: (Throwable) -> Unit) : Closeable {
    private val thread = HandlerThread(name).apply {
        setUncaughtExceptionHandler { _, error -> onFailure(error) }
        start()
    }
    val handler = Handler(thread.looper)

    /** Do what was posted so far, then end. */
    override fun close() {
        thread.quitSafely()
    }
}
