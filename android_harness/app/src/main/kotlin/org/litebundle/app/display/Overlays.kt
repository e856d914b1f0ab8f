package org.litebundle.app.display

import android.os.Build
import android.os.Handler
import android.view.SurfaceControl
import android.view.SurfaceView
import org.litebundle.app.R
import org.litebundle.app.RequiresSdk
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.display.PresentTracker

/** The best overlay that the system has. */
object Overlays {
    /** On [view], whose surface exists; [tracker] hears on [handler]'s thread of what the compositor tells. */
    fun of(view: SurfaceView, tracker: PresentTracker, handler: Handler): Overlay {
        val density = view.resources.displayMetrics.density
        val painter = Painter(density, view.context.getColor(R.color.accent), view.context.getColor(R.color.ink))
        return if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.VANILLA_ICE_CREAM) {
            FencedSince35.of(view, painter, tracker, handler)
        } else {
            CanvasOverlay(view.holder.surface, painter)
        }
    }
}

@RequiresSdk(Build.VERSION_CODES.VANILLA_ICE_CREAM)
private object FencedSince35 {
    fun of(view: SurfaceView, painter: Painter, tracker: PresentTracker, handler: Handler): Overlay =
        FenceOverlay(view.surfaceControl, view.width, view.height, painter, handler) { frame, stats ->
            tracker.completed(frame, latched(stats), SdkFence(stats.presentFence))
        }

    private fun latched(stats: SurfaceControl.TransactionStats) =
        stats.latchTimeNanos.takeIf { it > 0 }?.let(::MonotonicNs)
}
