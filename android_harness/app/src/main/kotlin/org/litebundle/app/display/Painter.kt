package org.litebundle.app.display

import android.graphics.Canvas
import android.graphics.Paint
import android.graphics.PorterDuff
import android.graphics.RectF
import android.graphics.Typeface
import org.litebundle.core.optical.Strip

/** Draws a result: a frame round each item, and what it says above it. One thread at a time. */
class Painter(private val density: Float, accent: Int, ink: Int) {
    private val stroke = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        style = Paint.Style.STROKE
        strokeWidth = 2 * density
        color = accent
    }
    private val plate = Paint(Paint.ANTI_ALIAS_FLAG).apply { color = accent }
    private val text = Paint(Paint.ANTI_ALIAS_FLAG).apply {
        color = ink
        textSize = TEXT_DP * density
        typeface = Typeface.MONOSPACE
    }
    private val dark = Paint().apply { color = BLACK }
    private val box = RectF()
    private val label = RectF()

    /** Cover all of [canvas], a view over a photo that is shown whole. */
    fun draw(canvas: Canvas, drawing: Drawing) {
        canvas.drawColor(TRANSPARENT, PorterDuff.Mode.CLEAR)
        val scaleX = canvas.width.toFloat() / drawing.photoWidth
        val scaleY = canvas.height.toFloat() / drawing.photoHeight
        for (item in drawing.items) {
            box.set(item.box[0] * scaleX, item.box[1] * scaleY, item.box[2] * scaleX, item.box[3] * scaleY)
            canvas.drawRoundRect(box, RADIUS_DP * density, RADIUS_DP * density, stroke)
            if (item.label.isNotEmpty()) drawLabel(canvas, item.label)
        }
        drawing.counter?.let { drawStrip(canvas, it) }
    }

    /** Above the box, or over it where there is no room; within the canvas, cut short if it must be. */
    private fun drawLabel(canvas: Canvas, words: String) {
        val padding = PADDING_DP * density
        val room = canvas.width - 2 * padding
        val fitting = text.breakText(words, true, room, null)
        val shown = if (fitting < words.length) words.take(maxOf(0, fitting - 1)) + "…" else words
        val width = text.measureText(shown) + 2 * padding
        val height = text.descent() - text.ascent() + padding
        val left = box.left.coerceIn(0f, maxOf(0f, canvas.width - width))
        val top = maxOf(0f, box.top - height)
        label.set(left, top, left + width, top + height)
        canvas.drawRoundRect(label, RADIUS_DP * density, RADIUS_DP * density, plate)
        canvas.drawText(shown, left + padding, top + padding / 2 - text.ascent(), text)
    }

    /** Across the middle, where a mirror held before the screen shows it best, with its light margin. */
    private fun drawStrip(canvas: Canvas, counter: Long) {
        val unit = canvas.width.toFloat() / (Strip.UNITS + 2 * Strip.MARGIN)
        val height = canvas.height * STRIP_SHARE
        val top = (canvas.height - height) / 2
        canvas.drawRect(
            0f,
            top - unit * Strip.MARGIN,
            canvas.width.toFloat(),
            top + height + unit * Strip.MARGIN,
            light,
        )
        var left = Strip.MARGIN * unit
        Strip.bars(counter).forEachIndexed { i, units ->
            if (i % 2 == 0) canvas.drawRect(left, top, left + units * unit, top + height, dark)
            left += units * unit
        }
    }

    private val light = Paint().apply { color = WHITE }

    private companion object {
        const val TEXT_DP = 14f
        const val PADDING_DP = 6f
        const val RADIUS_DP = 3f
        const val STRIP_SHARE = 0.25f
        const val TRANSPARENT = 0
        const val BLACK = 0xFF000000.toInt()
        const val WHITE = 0xFFFFFFFF.toInt()
    }
}
