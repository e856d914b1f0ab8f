package org.litebundle.app.display

import android.graphics.HardwareBufferRenderer
import android.graphics.PixelFormat
import android.graphics.RenderNode
import android.hardware.HardwareBuffer
import android.hardware.SyncFence
import android.os.Build
import android.os.Handler
import android.view.SurfaceControl
import org.litebundle.app.RequiresSdk
import java.time.Duration
import java.util.concurrent.Executor

/**
 * Draws into hardware buffers and gives each to the compositor with a transaction of its own, which tells when the
 * buffer was latched and when it was presented: since API 35 (device-only: present-fence).
 *
 * [show] records what is drawn, on the caller's thread; the system renders it on a thread of its own, in that order. Its
 * transaction is made on [handler]'s thread, where [completed] hears too. What is released, any thread may tell.
 */
@RequiresSdk(Build.VERSION_CODES.VANILLA_ICE_CREAM)
class FenceOverlay(
    parent: SurfaceControl,
    width: Int,
    height: Int,
    private val painter: Painter,
    handler: Handler,
    private val completed: (frame: Long, stats: SurfaceControl.TransactionStats) -> Unit,
) : Overlay {
    private class Slot(width: Int, height: Int) : AutoCloseable {
        val buffer = HardwareBuffer.create(width, height, HardwareBuffer.RGBA_8888, 1, USAGE)
        val node = RenderNode("result").apply { setPosition(0, 0, width, height) }
        val renderer = HardwareBufferRenderer(buffer).apply { setContentRoot(node) }

        override fun close() {
            renderer.close()
            buffer.close()
        }
    }

    private val executor = Executor { handler.post(it) }
    private val control = SurfaceControl.Builder().setName(
        "results",
    ).setParent(parent).setFormat(PixelFormat.RGBA_8888).build()
    private val slots = List(SLOTS) { Slot(width, height) }
    private val pool = BufferPool(slots)

    /** Waits for a buffer if the compositor still reads all of them; throws [IllegalStateException] if none comes free. */
    override fun show(frame: Long, drawing: Drawing) {
        val slot = checkNotNull(pool.take(PATIENCE)) {
            "for ${PATIENCE.toMillis()} ms the compositor held all $SLOTS buffers of the overlay"
        }
        painter.draw(slot.node.beginRecording(), drawing)
        slot.node.endRecording()
        slot.renderer.obtainRenderRequest().draw(executor) { submit(frame, slot, it) }
    }

    private fun submit(frame: Long, slot: Slot, rendered: HardwareBufferRenderer.RenderResult) = rendered.fence.use {
        check(rendered.status == HardwareBufferRenderer.RenderResult.SUCCESS) {
            "frame $frame: the overlay could not be rendered (status ${rendered.status})"
        }
        if (control.isValid) show(frame, slot, it)
    }

    /** The transaction keeps [rendered] by itself. */
    private fun show(frame: Long, slot: Slot, rendered: SyncFence) = SurfaceControl.Transaction().use { transaction ->
        transaction.setBuffer(control, slot.buffer, rendered) { released -> pool.give(slot, SdkRelease(released)) }
        transaction.setVisibility(control, true)
        transaction.addTransactionCompletedListener(executor) { completed(frame, it) }
        transaction.apply()
    }

    private class SdkRelease(private val fence: SyncFence) : Release {
        override fun await(timeout: Duration) = fence.await(timeout)

        override fun close() = fence.close()
    }

    /** On [handler]'s thread, after the last [show]. Buffers that the compositor still shows are its own until it lets go of them. */
    override fun close() {
        SurfaceControl.Transaction().use { it.reparent(control, null).apply() }
        control.release()
        pool.close()
        slots.forEach { it.close() }
    }

    private companion object {
        /** On the screen, latched, queued, and one to draw into. */
        const val SLOTS = 4
        const val USAGE = HardwareBuffer.USAGE_GPU_COLOR_OUTPUT or HardwareBuffer.USAGE_GPU_SAMPLED_IMAGE or
            HardwareBuffer.USAGE_COMPOSER_OVERLAY
        val PATIENCE: Duration = Duration.ofMillis(100)
    }
}
