package org.litebundle.app.run

import android.content.Context
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.frame.YuvToRgb
import org.litebundle.core.recording.Recording
import org.litebundle.core.replay.Replay
import org.litebundle.core.run.FramePipeline

/**
 * Recorded frames at their own pace through the pipeline on this device, in the place of the camera's; nothing is drawn,
 * the display is a model. Such a run has no headline, as its light fell earlier; its stages' times are measured.
 */
class ReplaySession(
    private val context: Context,
    private val loaded: LoadedBundle,
    private val recording: Recording,
    private val refreshHz: Double,
    private val failed: (Throwable) -> Unit,
) {
    /** Takes as long as the recording. An interrupt of the calling thread ends it with InterruptedException. */
    fun run(): SessionData = Worker("probes", failed).use { worker ->
        val probes = Probes(context, worker, MonotonicClock.System)
        val photos = YuvToRgb()
        val replay = Replay(
            recording,
            loaded.runner.stageNames,
            { frame, photo -> photos.convert(frame, photo, recording.info.sensorOrientation) },
            { FramePipeline(loaded.runner::run) },
        )
        val ledger = try {
            replay.real(refreshHz)
        } finally {
            worker.await { probes.close() }
        }
        val clock = recording.clock
        SessionData(
            ledger,
            camera = null,
            probes.thermal,
            probes.energy,
            clock.sensor,
            clock.offset,
            clockErrorNs = clock.offset?.errorNs ?: 0,
            testimony = null,
        )
    }
}
