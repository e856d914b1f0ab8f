package org.litebundle.app.display

import android.view.Surface

/**
 * Draws on the surface of a SurfaceView, whose buffers the compositor takes one by one: below API 35. When it presents
 * them is not told there.
 */
class CanvasOverlay(private val surface: Surface, private val painter: Painter) : Overlay {
    override fun show(frame: Long, drawing: Drawing) {
        val canvas = surface.lockHardwareCanvas()
        try {
            painter.draw(canvas, drawing)
        } finally {
            surface.unlockCanvasAndPost(canvas)
        }
    }

    override fun close() = Unit
}
