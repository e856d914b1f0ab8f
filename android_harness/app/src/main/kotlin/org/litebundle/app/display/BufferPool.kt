package org.litebundle.app.display

import java.io.Closeable
import java.time.Duration
import java.util.concurrent.ArrayBlockingQueue
import java.util.concurrent.TimeUnit

/** Tells when a buffer is no longer read. */
interface Release : Closeable {
    /** Waits at most this long; whether it is no longer read. */
    fun await(timeout: Duration): Boolean
}

/** Buffers in turn, each lent to one at a time. Any thread. */
class BufferPool<B : Any>(buffers: List<B>) : Closeable {
    private class Free<B>(val buffer: B, val release: Release?)

    private val free = ArrayBlockingQueue<Free<B>>(buffers.size, false, buffers.map { Free(it, null) })
    private var closed = false

    /** The one that was given back first, once it is no longer read; null: within [timeout] there is none. */
    fun take(timeout: Duration): B? {
        val end = System.nanoTime() + timeout.toNanos()
        val first = free.poll(timeout.toNanos(), TimeUnit.NANOSECONDS) ?: return null
        if (first.release?.await(Duration.ofNanos(maxOf(0, end - System.nanoTime()))) == false) {
            give(first.buffer, first.release)
            return null
        }
        first.release?.close()
        return first.buffer
    }

    /** Give [buffer] back; [release] tells when it is no longer read, null: it is not now, and is closed here. */
    @Synchronized
    fun give(buffer: B, release: Release?) {
        if (closed) release?.close() else free.add(Free(buffer, release))
    }

    @Synchronized
    override fun close() {
        closed = true
        free.forEach { it.release?.close() }
        free.clear()
    }
}
