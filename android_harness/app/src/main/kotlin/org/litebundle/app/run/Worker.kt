package org.litebundle.app.run

import android.os.Handler
import android.os.HandlerThread
import java.io.Closeable
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit

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

    /** Do [action] on this thread and wait until it is done, [TIMEOUT_S] at most. */
    fun await(action: () -> Unit) {
        val done = CountDownLatch(1)
        handler.post {
            try {
                action()
            } finally {
                done.countDown()
            }
        }
        done.await(TIMEOUT_S, TimeUnit.SECONDS)
    }

    /** Do what was posted so far, then end. */
    override fun close() {
        thread.quitSafely()
    }

    private companion object {
        const val TIMEOUT_S = 10L
    }
}
