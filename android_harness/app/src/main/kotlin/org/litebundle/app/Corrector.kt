package org.litebundle.app

import android.app.Activity
import android.app.AlertDialog
import android.content.Context
import android.text.InputType
import android.widget.EditText
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.DrawnItem
import org.litebundle.core.corrections.CorrectionLog
import org.litebundle.core.report.Corrections
import java.io.Closeable
import java.io.File

/**
 * Lets the user correct what a result says. Before the first correction it asks whether corrections may be kept; without
 * consent nothing is. On the main thread.
 */
class Corrector(private val activity: Activity, private val changed: () -> Unit) : Closeable {
    private val settings = activity.getSharedPreferences("corrections", Context.MODE_PRIVATE)
    private val file = File(activity.filesDir, "corrections.jsonl")
    private var log = CorrectionLog(file, consents)

    val consents: Boolean get() = settings.getBoolean(CONSENT, false)

    fun shown(drawing: Drawing) = drawing.items.forEach { log.shown(it.id) }

    fun summary(): Corrections? = log.summary()

    fun tapped(item: DrawnItem) {
        if (consents) ask(item) else askConsent(item)
    }

    fun withdraw() {
        settings.edit().putBoolean(CONSENT, false).apply()
        log.withdraw()
        changed()
    }

    override fun close() = log.close()

    private fun askConsent(item: DrawnItem) {
        AlertDialog.Builder(activity)
            .setTitle(R.string.consent_title)
            .setMessage(R.string.consent_text)
            .setPositiveButton(R.string.consent_agree) { _, _ ->
                settings.edit().putBoolean(CONSENT, true).apply()
                log = CorrectionLog(file, consent = true)
                changed()
                ask(item)
            }
            .setNegativeButton(R.string.consent_decline, null)
            .show()
    }

    private fun ask(item: DrawnItem) {
        val field = EditText(activity).apply {
            setText(item.label)
            inputType = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS
            contentDescription = activity.getString(R.string.correct_title)
        }
        AlertDialog.Builder(activity)
            .setTitle(R.string.correct_title)
            .setView(field)
            .setPositiveButton(R.string.correct_save) { _, _ -> save(item, field.text.toString()) }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun save(item: DrawnItem, after: String) {
        log.shown(item.id)
        if (after != item.label) log.corrected(item.id, item.label, after)
    }

    private companion object {
        const val CONSENT = "consent"
    }
}
