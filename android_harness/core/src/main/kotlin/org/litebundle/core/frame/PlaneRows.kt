package org.litebundle.core.frame

import org.litebundle.core.glue.GlueException
import java.nio.Buffer
import java.nio.ByteBuffer

/** Reads rows of a plane through a view of its buffer, so that the buffer's own position stays. */
internal class PlaneRows(private val name: String) {
    private var source: ByteBuffer? = null
    private var view = ByteBuffer.allocate(0)
    private var rowStride = 0
    private var rowBytes = 0

    /** Sample c of the row that was read is byte c · [step]. */
    var row = ByteArray(0)
        private set
    var step = 1
        private set

    fun open(plane: Plane, columns: Int, rows: Int) {
        rowStride = plane.rowStride
        step = plane.pixelStride
        // The last row of a camera's plane may end with its last sample, before its stride.
        val bytes = (columns - 1L) * step + 1
        if (step < 1 || rowStride < bytes || (rows - 1L) * rowStride + bytes > plane.bytes.limit()) {
            throw GlueException(
                "plane $name has ${plane.bytes.limit()} bytes, row stride $rowStride and pixel stride $step; that " +
                    "does not hold $columns x $rows samples",
            )
        }
        rowBytes = bytes.toInt()
        if (row.size < rowBytes) row = ByteArray(rowBytes)
        if (source !== plane.bytes) {
            source = plane.bytes
            view = plane.bytes.duplicate()
        }
        (view as Buffer).clear()
    }

    fun read(index: Int) {
        // As a Buffer: what ByteBuffer itself declares of this is not in Android's API 26.
        val buffer: Buffer = view
        buffer.position(index * rowStride)
        view.get(row, 0, rowBytes)
    }
}
