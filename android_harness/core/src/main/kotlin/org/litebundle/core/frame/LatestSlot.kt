package org.litebundle.core.frame

/**
 * A place for one thing, where the newest wins. Any number of threads; each call takes effect at one moment between its
 * begin and its end (linearizable). Nothing is allocated.
 */
class LatestSlot<T : Any> {
    @Suppress("PLATFORM_CLASS_MAPPED_TO_KOTLIN")
    private val lock = Object()
    private var value: T? = null
    private var closed = false

    /**
     * Put [newest] here. What it pushed out is given back and is the caller's to close; once closed, [newest] itself.
     */
    fun offer(newest: T): T? = synchronized(lock) {
        if (closed) return newest
        val replaced = value
        value = newest
        lock.notify()
        replaced
    }

    /** What is here, if anything; it is then gone from here. */
    fun poll(): T? = synchronized(lock) {
        val taken = value
        value = null
        taken
    }

    /**
     * [poll], waiting until something is here. Null: closed. Throws InterruptedException, also if it need not wait:
     * whoever is slower than what comes in could not be interrupted otherwise.
     */
    fun take(): T? = synchronized(lock) {
        if (Thread.interrupted()) throw InterruptedException()
        while (value == null && !closed) lock.wait()
        val taken = value
        value = null
        taken
    }

    /** Nothing comes in from now on, and nobody waits. What was here is given back and is the caller's to close. */
    fun close(): T? = synchronized(lock) {
        closed = true
        lock.notifyAll()
        val left = value
        value = null
        left
    }
}
