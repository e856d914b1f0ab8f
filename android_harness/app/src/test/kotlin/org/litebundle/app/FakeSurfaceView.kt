package org.litebundle.app

import android.graphics.Rect
import android.graphics.SurfaceTexture
import android.hardware.HardwareBuffer
import android.view.Surface
import android.view.SurfaceControl
import android.view.SurfaceHolder
import android.view.SurfaceView
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadow.api.Shadow
import org.robolectric.shadows.ShadowSurfaceView

/** A buffer of the compositor, of which nothing is drawn. */
@Implements(HardwareBuffer::class, minSdk = 26)
class FakeHardwareBuffer {
    companion object {
        @JvmStatic
        @Implementation
        @Suppress("UNUSED_PARAMETER")
        fun create(width: Int, height: Int, format: Int, layers: Int, usage: Long): HardwareBuffer =
            Shadow.newInstanceOf(HardwareBuffer::class.java)
    }
}

/** A view that has its surface at once; Robolectric's own has none. */
@Implements(SurfaceView::class)
class FakeSurfaceView : ShadowSurfaceView() {
    private val holder = Holder()
    private val control by lazy { SurfaceControl.Builder().setName("view").build() }

    @Implementation
    public override fun getHolder(): SurfaceHolder = holder

    @Implementation
    fun getSurfaceControl(): SurfaceControl = control

    private class Holder : FakeSurfaceHolder() {
        private val surface = Surface(SurfaceTexture(0))
        private val frame = Rect()

        override fun setFixedSize(width: Int, height: Int) = frame.set(0, 0, width, height)

        override fun getSurfaceFrame() = frame

        override fun getSurface() = surface
    }
}
