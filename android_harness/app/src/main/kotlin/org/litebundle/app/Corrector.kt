package org.litebundle.app

import android.app.Activity
import android.app.AlertDialog
import android.content.Context
import android.text.InputType
import android.widget.EditText
import android.widget.Toast
import org.litebundle.app.display.Drawing
import org.litebundle.app.display.DrawnItem
import org.litebundle.core.corrections.CorrectionLog
import org.litebundle.core.report.Corrections
import java.io.Closeable
import java.io.File
import java.io.IOException

/**
 * Lets the user correct what a result says. Before the first correction it asks whether corrections may be kept; without
 * consent nothing is. Where the disk does not let it keep any, it says so and counts no more. On the main thread, but for
 * [summary].
 */
class Corrector(private val activity: Activity, private val changed: () -> Unit) : Closeable {
    private val settings = activity.getSharedPreferences("corrections", Context.MODE_PRIVATE)
    private val file = File(activity.filesDir, "corrections.jsonl")
    private val unreadable = File(activity.filesDir, "corrections.unreadable.jsonl")

    /** Null: nothing can be kept. */
    @Volatile
    private var log: CorrectionLog? = null

    private var question: AlertDialog? = null

    val consents: Boolean get() = settings.getBoolean(CONSENT, false)

    init {
        open()
    }

    fun shown(drawing: Drawing) = keep { log -> drawing.items.forEach { log.shown(it.id) } }

    /** On any thread. */
    fun summary(): Corrections? = log?.summary()

    /** Asks nothing while a question is open. */
    fun tapped(item: DrawnItem) {
        if (question?.isShowing != true) if (consents) ask(item) else askConsent(item)
    }

    fun withdraw() {
        settings.edit().putBoolean(CONSENT, false).apply()
        keep { it.withdraw() }
        open()
        changed()
    }

    /** A question that is open is closed too. */
    override fun close() {
        question?.dismiss()
        keep { it.close() }
    }

    /** Without consent, nothing that was kept stays, whatever state it is in. */
    private fun open() {
        if (!consents) {
            file.delete()
            unreadable.delete()
        }
        log = try {
            CorrectionLog(file, consents)
        } catch (error: IOException) {
            tell(error)
            anew()
        }
    }

    /** A log that cannot be read is put aside, for whoever wants to look at it. */
    private fun anew(): CorrectionLog? = try {
        file.renameTo(unreadable)
        CorrectionLog(file, consents)
    } catch (error: IOException) {
        tell(error)
        null
    }

    private fun keep(action: (CorrectionLog) -> Unit) {
        try {
            log?.let(action)
        } catch (error: IOException) {
            log = null
            tell(error)
        }
    }

    private fun tell(error: IOException) = Toast.makeText(
        activity,
        activity.getString(R.string.corrections_fault, error.message),
        Toast.LENGTH_LONG,
    ).show()

    private fun askConsent(item: DrawnItem) {
        question = AlertDialog.Builder(activity)
            .setTitle(R.string.consent_title)
            .setMessage(R.string.consent_text)
            .setPositiveButton(R.string.consent_agree) { _, _ ->
                settings.edit().putBoolean(CONSENT, true).apply()
                open()
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
        question = AlertDialog.Builder(activity)
            .setTitle(R.string.correct_title)
            .setView(field)
            .setPositiveButton(R.string.correct_save) { _, _ -> save(item, field.text.toString()) }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun save(item: DrawnItem, after: String) = keep { log ->
        log.shown(item.id)
        if (after != item.label) log.corrected(item.id, item.label, after)
    }

    private companion object {
        const val CONSENT = "consent"
    }
}
