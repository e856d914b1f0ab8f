package org.litebundle.core.frame

import org.litebundle.core.glue.GlueException
import java.nio.Buffer
import java.nio.ByteBuffer

/** Reads the rows of a plane, one after another, into an array. */
internal class PlaneRows(private val name: String) {
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
        if (step < 1 || rowStride < bytes || (rows - 1L) * rowStride + bytes > plane.view.limit()) {
            throw GlueException(
                "plane $name has ${plane.view.limit()} bytes, row stride $rowStride and pixel stride $step; that " +
                    "does not hold $columns x $rows samples",
            )
        }
        rowBytes = bytes.toInt()
        if (row.size < rowBytes) row = ByteArray(rowBytes)
        view = plane.view
    }

    fun read(index: Int) {
        // As a Buffer: what ByteBuffer itself declares of this is not in Android's API 26.
        val buffer: Buffer = view
        buffer.position(index * rowStride)
        view.get(row, 0, rowBytes)
    }
}
