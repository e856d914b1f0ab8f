package org.litebundle.engine.tflite

import com.sun.management.ThreadMXBean
import java.lang.management.ManagementFactory

/** What this thread allocates on the heap. */
internal object Allocation {
    private const val WINDOW = 30
    private const val WINDOWS = 20
    private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

    /**
     * The least bytes that [WINDOW] runs in a row of [action] allocate, of [WINDOWS] such rows at most. While the JVM
     * still compiles, it allocates now and then for itself; what the action allocates is in every row.
     */
    fun leastBytes(action: Runnable): Long {
        var least = Long.MAX_VALUE
        var window = 0
        while (least > 0 && window < WINDOWS) {
            val start = threads.currentThreadAllocatedBytes
            for (i in 0 until WINDOW) action.run()
            least = minOf(least, threads.currentThreadAllocatedBytes - start - readingBytes())
            window++
        }
        return least
    }

    private fun readingBytes(): Long {
        val start = threads.currentThreadAllocatedBytes
        return threads.currentThreadAllocatedBytes - start
    }
}
