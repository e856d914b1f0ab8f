package org.litebundle.core.clock

import org.litebundle.core.frame.Exposure

/** Brings the sensor's timestamps to CLOCK_MONOTONIC. */
fun interface SensorTimes {
    /** Null where the sensor's clock cannot be related to CLOCK_MONOTONIC at that moment. */
    fun toMonotonic(timestampNs: Long): MonotonicNs?
}

/**
 * When the light of a result came in, in ns of the sensor's clock: `SENSOR_TIMESTAMP + SENSOR_EXPOSURE_TIME / 2 +
 * SENSOR_ROLLING_SHUTTER_SKEW · row`, where [row] is the middle of the result's region as a part of the picture's
 * height: 0 its first row, 1 its last. The timestamp is the begin of exposure of the first row.
 */
fun Exposure.photonInNs(row: Double): Long {
    require(row in 0.0..1.0) { "row $row is not in the picture: it is a part of its height, 0 to 1" }
    return timestampNs + exposureNs / 2 + Math.round(rollingShutterSkewNs * row)
}
