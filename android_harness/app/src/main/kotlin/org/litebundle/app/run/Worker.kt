package org.litebundle.app.run

import android.os.Handler
import android.os.HandlerThread
import android.os.Looper
import java.io.Closeable
import java.util.concurrent.ExecutionException
import java.util.concurrent.FutureTask
import java.util.concurrent.TimeUnit
import java.util.concurrent.TimeoutException

/**
 * A thread with a looper. What is thrown on it goes to [onFailure], so that the run it belongs to says that it failed,
 * and the thread goes on with what was posted next: it is needed to close what it holds.
 */
class Worker(name: String, private val onFailure: (Throwable) -> Unit) : Closeable {
    private val thread = object : HandlerThread(name) {
        override fun onLooperPrepared() {
            while (true) {
                try {
                    return Looper.loop()
                } catch (error: Throwable) {
                    onFailure(error)
                }
            }
        }
    }.apply { start() }
    val handler = Handler(thread.looper)

    /**
     * Do [action] on this thread and wait until it is done. Throws what it throws, and [TimeoutException] if it is not
     * done in [TIMEOUT_S].
     */
    fun await(action: () -> Unit) {
        val task = FutureTask(action, Unit)
        check(handler.post(task)) { "thread ${thread.name} has ended" }
        try {
            task.get(TIMEOUT_S, TimeUnit.SECONDS)
        } catch (error: ExecutionException) {
            throw error.cause ?: error
        } catch (_: TimeoutException) {
            throw TimeoutException("thread ${thread.name} did not answer in $TIMEOUT_S s")
        }
    }

    /** End the wait that this thread is in, if any, with InterruptedException. */
    fun interrupt() = thread.interrupt()

    /** Do what was posted so far, then end. */
    override fun close() {
        thread.quitSafely()
    }

    private companion object {
        const val TIMEOUT_S = 10L
    }
}
