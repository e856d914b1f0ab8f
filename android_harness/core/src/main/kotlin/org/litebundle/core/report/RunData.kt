package org.litebundle.core.report

import org.litebundle.core.ledger.FrameRecord
import org.litebundle.core.power.ThermalSample
import org.litebundle.core.stats.Summary
import org.litebundle.core.verdict.RunConditions
import org.litebundle.core.verdict.RunKind
import org.litebundle.core.verdict.Verdict

/**
 * What a run's files are written from (docs/harness-report.schema.json explains every field).
 *
 * @property engine name and version of the runtime.
 * @property camera null: no camera took part.
 * @property refreshHz of the display; null: not known.
 * @property stages names of the bundle's stages, in its order, which is that in [records].
 * @property corrections null: the user did not consent.
 */
class RunData(
    val run: RunInfo,
    val bundle: BundleInfo,
    val device: DeviceInfo,
    val engine: String,
    val conditions: RunConditions,
    val camera: CameraInfo?,
    val refreshHz: Double?,
    val stages: List<String>,
    val records: List<FrameRecord>,
    val thermal: List<ThermalSample>,
    val corrections: Corrections?,
    val summary: Summary,
    val verdict: Verdict,
)

/** [id]: letters, digits, `_` and `-`, at most 64; [startedUtc]: RFC 3339, ending in Z. */
data class RunInfo(val id: String, val kind: RunKind, val startedUtc: String, val appVersion: String) {
    init {
        require(ID.matches(id)) { "run id '$id' is not 1 to 64 letters, digits, '_' or '-': rename the run" }
    }

    private companion object {
        val ID = Regex("[A-Za-z0-9_-]{1,64}")
    }
}

/** [digest]: SHA-256 of manifest.json in lower-case hexadecimal. */
data class BundleInfo(val name: String, val version: String, val digest: String)

/** [sdk] is null where it is no Android; [soc] is null where the system does not tell. */
data class DeviceInfo(val manufacturer: String, val model: String, val sdk: Int?, val build: String, val soc: String?)

/**
 * What was asked of the camera: pictures of [width] × [height], and a rate from [fpsLow] to [fpsHigh] frames a second. If
 * the two differ, it exposes longer in the dark, and latency varies with the light.
 */
data class CameraInfo(val width: Int, val height: Int, val fpsLow: Int, val fpsHigh: Int) {
    val isFixed get() = fpsLow == fpsHigh
}

/** Results that the user was shown, and how many of these the user corrected. */
data class Corrections(val shown: Long, val corrected: Long) {
    /** Null if none was shown. */
    val share get() = if (shown == 0L) null else corrected.toDouble() / shown
}
