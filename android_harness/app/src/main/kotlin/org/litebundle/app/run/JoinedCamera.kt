package org.litebundle.app.run

import android.media.Image
import android.os.SystemClock
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.camera.CameraListener
import org.litebundle.core.clock.BoottimeNs
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.clock.OffsetTimeline
import org.litebundle.core.clock.SensorClock
import org.litebundle.core.clock.SensorReading
import org.litebundle.core.clock.SensorTimeline
import org.litebundle.core.clock.TimestampSource
import org.litebundle.core.frame.Exposure
import org.litebundle.core.frame.JoinedFrames
import org.litebundle.core.frame.ResultJoin
import org.litebundle.core.ledger.Ledger

/**
 * What the camera says, joined: pictures with their exposures go to [frames], all of it to [ledger]. The first pictures
 * show which clock stamps them, and [times] is told.
 */
class JoinedCamera(
    ledger: Ledger,
    frames: JoinedFrames<Image>,
    private val times: SensorTimeline,
    private val offsets: OffsetTimeline,
    private val choice: CameraChoice,
    private val clock: MonotonicClock,
    private val failed: (String) -> Unit,
) : CameraListener {
    private val join = ResultJoin(ledger, frames)
    private val readings = ArrayList<SensorReading>()

    override fun started(timestampNs: Long) = join.started(timestampNs)

    override fun completed(exposure: Exposure) = join.result(exposure, clock.now())

    override fun available(image: Image) {
        val now = clock.now()
        if (readings.size < READINGS) read(image.timestamp, now)
        join.image(image.timestamp, image, now)
    }

    override fun lost(timestampNs: Long) = join.lost(timestampNs)

    override fun broken(reason: String) = failed(reason)

    /** What still waits for its other half gives up. */
    fun finish() = join.finish()

    private fun read(timestampNs: Long, now: MonotonicNs) {
        readings.add(SensorReading(timestampNs, now, BoottimeNs(SystemClock.elapsedRealtimeNanos())))
        if (readings.size < READINGS) return
        val source = if (choice.timestampsAreRealtime) TimestampSource.REALTIME else TimestampSource.UNKNOWN
        times.clock = SensorClock.decide(source, readings, offsets.latest)
    }

    private companion object {
        const val READINGS = 10
    }
}
