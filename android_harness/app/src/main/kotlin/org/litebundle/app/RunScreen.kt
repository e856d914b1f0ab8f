package org.litebundle.app

import android.content.Context
import android.graphics.PixelFormat
import android.graphics.Typeface
import android.view.Gravity
import android.view.Surface
import android.view.SurfaceView
import android.view.View
import android.view.ViewGroup.LayoutParams.MATCH_PARENT
import android.view.ViewGroup.LayoutParams.WRAP_CONTENT
import android.widget.Button
import android.widget.FrameLayout
import android.widget.LinearLayout
import android.widget.TextView
import org.litebundle.app.camera.CameraChoice

/** What a button says and does. */
class Choice(val label: Int, val action: () -> Unit)

/** The views: the camera with its results and a line below, or a message that says why there are none. */
class RunScreen(context: Context) : FrameLayout(context) {
    val preview = SurfaceView(context)

    /** Above [preview], on a surface of its own. */
    val results = SurfaceView(context).apply {
        setZOrderMediaOverlay(true)
        holder.setFormat(PixelFormat.TRANSLUCENT)
    }
    val photo = PhotoLayout(context).apply {
        addView(preview)
        addView(results)
    }
    private val line = label(LINE_SP, R.color.paper).apply { typeface = Typeface.MONOSPACE }
    private val note = label(NOTE_SP, R.color.faint)
    private val withdraw = Button(context, null, android.R.attr.borderlessButtonStyle).apply {
        setText(R.string.consent_withdraw)
        visibility = GONE
    }
    private val live = column(
        photo to LinearLayout.LayoutParams(MATCH_PARENT, 0, 1f),
        line to LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT),
        note to LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT),
        withdraw to LinearLayout.LayoutParams(WRAP_CONTENT, WRAP_CONTENT),
    )
    private val title = label(TITLE_SP, R.color.paper).apply { setTypeface(typeface, Typeface.BOLD) }
    private val text = label(TEXT_SP, R.color.faint)
    private val buttons = LinearLayout(context).apply { setPadding(0, dp(GAP_DP), 0, 0) }
    private val message = column(title to wide(), text to wide(), buttons to wide()).apply {
        gravity =
            Gravity.CENTER_VERTICAL
    }

    init {
        setBackgroundColor(context.getColor(R.color.ink))
        fitsSystemWindows = true
        val padding = dp(GAP_DP)
        message.setPadding(2 * padding, padding, 2 * padding, padding)
        line.setPadding(padding, padding / 2, padding, 0)
        note.setPadding(padding, 0, padding, padding / 2)
        addView(live, LayoutParams(MATCH_PARENT, MATCH_PARENT))
        addView(message, LayoutParams(MATCH_PARENT, MATCH_PARENT))
        showMessage(context.getString(R.string.app_name), context.getString(R.string.starting))
    }

    fun showMessage(title: String, text: String, vararg choices: Choice) {
        this.title.text = title
        this.text.text = text
        buttons.removeAllViews()
        for (choice in choices) {
            val button = Button(context)
            button.setText(choice.label)
            button.setOnClickListener { choice.action() }
            buttons.addView(button)
        }
        message.visibility = VISIBLE
        live.visibility = INVISIBLE
    }

    /**
     * Lay out for pictures of [choice] that are turned by [turn] degrees; [ready] is called once, with the surface for
     * the camera, when that and the one for results exist in their sizes.
     */
    fun show(choice: CameraChoice, turn: Int, ready: (Surface) -> Unit) {
        val size = choice.size
        if (turn % HALF_TURN ==
            0
        ) {
            photo.setPhotoSize(size.width, size.height)
        } else {
            photo.setPhotoSize(size.height, size.width)
        }
        preview.holder.setFixedSize(size.width, size.height)
        SurfacesReady(preview.holder, size, results.holder, ready)
    }

    fun showLive() {
        message.visibility = GONE
        live.visibility = VISIBLE
    }

    fun setLine(text: String, below: String) {
        line.text = text
        note.text = below
    }

    /** [action] null: there is no consent that could be withdrawn. */
    fun setWithdraw(action: (() -> Unit)?) {
        withdraw.visibility = if (action == null) GONE else VISIBLE
        withdraw.setOnClickListener { action?.invoke() }
    }

    private fun label(sizeSp: Float, colour: Int) = TextView(context).apply {
        textSize = sizeSp
        setTextColor(context.getColor(colour))
    }

    private fun wide() = LinearLayout.LayoutParams(MATCH_PARENT, WRAP_CONTENT).apply { bottomMargin = dp(GAP_DP) / 2 }

    private fun column(vararg views: Pair<View, LinearLayout.LayoutParams>) = LinearLayout(context).apply {
        orientation = LinearLayout.VERTICAL
        views.forEach { (view, parameters) -> addView(view, parameters) }
    }

    private fun dp(dp: Int) = (dp * resources.displayMetrics.density).toInt()

    private companion object {
        const val HALF_TURN = 180
        const val TITLE_SP = 24f
        const val TEXT_SP = 16f
        const val LINE_SP = 16f
        const val NOTE_SP = 13f
        const val GAP_DP = 16
    }
}
