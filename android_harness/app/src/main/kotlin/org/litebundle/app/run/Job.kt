package org.litebundle.app.run

import android.os.Handler
import android.os.Looper
import java.io.File
import java.io.IOException
import java.util.concurrent.atomic.AtomicBoolean

/** Hears how a [Job] ends, on the main thread; after one of these, nothing more. */
interface JobListener {
    /** [file] is the one that tells the result; null where none was asked for. */
    fun done(file: File?)

    fun refused(reason: String)

    fun failed(reason: String)
}

/**
 * An order that is carried out on a thread of its own. Each that somebody follows ends with exactly one line in the
 * system's log that says how, whatever is thrown.
 */
abstract class Job(val order: Order, val listener: JobListener) {
    private val main = Handler(Looper.getMainLooper())
    private val worker = Worker("run") { fail("run: $it") }
    private val markers = if (order.isFollowed) Markers(order.plan.run) else null
    private val ended = AtomicBoolean()

    protected val isOver get() = ended.get()

    /** What runs, if anything, is ended, and its result is not wanted. */
    protected abstract fun abandon()

    /** What the job holds is closed: after every end. */
    protected abstract fun close()

    /** Nobody wants it any more, or it cannot go on: nothing is written. What it waits for, it waits for no longer. */
    fun fail(reason: String) {
        if (!isFirstEnd()) return
        failed(reason)
        worker.interrupt()
        worker.handler.post {
            Thread.interrupted()
            try {
                abandon()
            } finally {
                release()
            }
        }
    }

    protected fun started() {
        markers?.started()
    }

    /** End with what [result] gives: the file that tells it, null where none was asked for. */
    protected fun finish(result: () -> File?) {
        if (!isFirstEnd()) return
        worker.handler.post {
            try {
                done(result())
            } catch (error: IOException) {
                failed("the files could not be written: ${error.message}")
            } catch (error: Throwable) {
                failed("run: $error")
            } finally {
                release()
            }
        }
    }

    protected fun finishAfter(seconds: Int, result: () -> File?) {
        main.postDelayed({ finish(result) }, MS_PER_SECOND * seconds)
    }

    protected fun refuse(reason: String) {
        if (!isFirstEnd()) return
        markers?.refused(reason)
        tell { listener.refused(reason) }
        release()
    }

    protected fun work(action: () -> Unit) {
        worker.handler.post {
            try {
                if (!isOver) action()
            } catch (error: Throwable) {
                fail("run: $error")
            }
        }
    }

    protected fun tell(what: () -> Unit) {
        main.post(what)
    }

    private fun done(file: File?) {
        file?.let { markers?.done(it) }
        tell { listener.done(file) }
    }

    private fun failed(reason: String) {
        markers?.failed(reason)
        tell { listener.failed(reason) }
    }

    /** The first way to end is the one that counts. */
    private fun isFirstEnd() = ended.compareAndSet(false, true)

    private fun release() {
        worker.use { close() }
    }

    private companion object {
        const val MS_PER_SECOND = 1000L
    }
}
