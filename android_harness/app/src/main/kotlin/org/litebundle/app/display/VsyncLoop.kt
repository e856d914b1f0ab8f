package org.litebundle.app.display

import android.os.Build
import android.os.Handler
import android.view.Choreographer
import org.litebundle.app.RequiresSdk
import org.litebundle.core.clock.MonotonicNs
import java.io.Closeable

/** What [VsyncLoop] tells at each vsync, on its thread. */
fun interface VsyncListener {
    fun vsync(at: MonotonicNs)
}

/**
 * Hears every vsync, on [handler]'s thread, and knows since API 33 when the compositor expects to present what is
 * submitted now (device-only: vsync-expectation).
 *
 * (`EGL_ANDROID_get_frame_timestamps` would tell more below API 33, but it has no Java interface.)
 */
abstract class VsyncLoop(private val handler: Handler, private val listener: VsyncListener) : Closeable {
    @Volatile
    private var closed = false

    fun start() {
        handler.post { next(Choreographer.getInstance()) }
    }

    override fun close() {
        closed = true
    }

    /** When a buffer that is queued at [time] is expected on the screen; null: nobody tells. Any thread. */
    abstract fun expected(time: MonotonicNs): MonotonicNs?

    protected abstract fun next(choreographer: Choreographer)

    protected fun heard(at: MonotonicNs, choreographer: Choreographer) {
        if (closed) return
        listener.vsync(at)
        next(choreographer)
    }

    companion object {
        fun of(handler: Handler, listener: VsyncListener): VsyncLoop =
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
                TimelinesSince33(handler, listener)
            } else {
                PlainVsyncs(handler, listener)
            }
    }
}

private class PlainVsyncs(handler: Handler, listener: VsyncListener) : VsyncLoop(handler, listener) {
    override fun expected(time: MonotonicNs): MonotonicNs? = null

    override fun next(choreographer: Choreographer) =
        choreographer.postFrameCallback { heard(MonotonicNs(it), choreographer) }
}

@RequiresSdk(Build.VERSION_CODES.TIRAMISU)
private class TimelinesSince33(handler: Handler, listener: VsyncListener) : VsyncLoop(handler, listener) {
    @Volatile
    private var timelines = FrameTimelines(LongArray(0), LongArray(0))

    override fun expected(time: MonotonicNs) = timelines.expected(time)

    override fun next(choreographer: Choreographer) = choreographer.postVsyncCallback { data ->
        val told = data.frameTimelines
        timelines = FrameTimelines(
            LongArray(told.size) { told[it].deadlineNanos },
            LongArray(told.size) { told[it].expectedPresentationTimeNanos },
        )
        heard(MonotonicNs(data.frameTimeNanos), choreographer)
    }
}

/** The presentations that follow a vsync: by when a buffer must be there, and when it is then expected on the screen. */
class FrameTimelines(private val deadlinesNs: LongArray, private val presentationsNs: LongArray) {
    /** Of the first whose deadline is not over at [time]; null: it lies behind them all. */
    fun expected(time: MonotonicNs): MonotonicNs? {
        val first = deadlinesNs.indices.firstOrNull { deadlinesNs[it] >= time.ns } ?: return null
        return MonotonicNs(presentationsNs[first])
    }
}
