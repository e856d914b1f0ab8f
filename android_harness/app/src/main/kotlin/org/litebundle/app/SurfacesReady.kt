package org.litebundle.app

import android.graphics.Rect
import android.util.Size
import android.view.Surface
import android.view.SurfaceHolder

/**
 * Waits until the camera's surface has the [size] asked for (cameras give no other) and the results' surface exists, then
 * calls [ready] once.
 */
class SurfacesReady(
    private val camera: SurfaceHolder,
    private val size: Size,
    private val results: SurfaceHolder,
    private val ready: (Surface) -> Unit,
) : SurfaceHolder.Callback {
    private var called = false

    init {
        camera.addCallback(this)
        results.addCallback(this)
        check()
    }

    override fun surfaceCreated(holder: SurfaceHolder) = Unit

    override fun surfaceChanged(holder: SurfaceHolder, format: Int, width: Int, height: Int) = check()

    override fun surfaceDestroyed(holder: SurfaceHolder) = Unit

    private fun check() {
        val frame = camera.surfaceFrame
        val surfaces = listOf(camera.surface, results.surface)
        if (called || surfaces.any { it?.isValid != true } || frame.width() != size.width ||
            frame.height() != size.height
        ) {
            return
        }
        called = true
        camera.removeCallback(this)
        results.removeCallback(this)
        ready(camera.surface)
    }
}
