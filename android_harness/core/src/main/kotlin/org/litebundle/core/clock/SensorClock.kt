package org.litebundle.core.clock

enum class ClockDomain { MONOTONIC, BOOTTIME }

/** `SENSOR_INFO_TIMESTAMP_SOURCE`: what the camera declares of its timestamps. */
enum class TimestampSource { REALTIME, UNKNOWN }

/** A frame's timestamp and both clocks when it arrived. */
data class SensorReading(val timestampNs: Long, val monotonic: MonotonicNs, val boottime: BoottimeNs)

/** Which clock the sensor's timestamps are of, and how that is known. */
sealed interface SensorClock {
    /** The camera declares boottime (TIMESTAMP_SOURCE_REALTIME). */
    data object Realtime : SensorClock

    /** The camera declares nothing; in [domain] alone are its timestamps plausible. */
    data class Inferred(val domain: ClockDomain) : SensorClock

    /**
     * The camera declares nothing, and both clocks read the same to [MAX_IMMATERIAL_NS]: both are plausible and give
     * the same times, so the answer does not matter, for as long as they do.
     */
    data object Immaterial : SensorClock

    /** No latency can be told: the headline is refused with [reason]. */
    data class Undecided(val reason: String) : SensorClock

    companion object {
        /** A timestamp is plausible if it is younger than this when its frame arrives, and not of the future. */
        const val MAX_AGE_NS = 500_000_000L

        /** The share of the clock in the error budget. */
        const val MAX_IMMATERIAL_NS = 2_000L

        /**
         * Decides from the first frames of a run; a domain is plausible if every one of [readings] is.
         *
         * A declared boottime that every one of the readings contradicts is undecided too: the camera is not what it
         * says. If both domains are plausible, the timestamps do not tell which it is; that is undecided unless
         * [offset] says that both clocks read the same (a device that has not slept since it started), within the error
         * that every time has anyway. A later sleep ends that: the frames behind it have no exposure times
         * ([SensorTimeline]).
         */
        fun decide(source: TimestampSource, readings: List<SensorReading>, offset: ClockOffset?): SensorClock {
            val plausible = ClockDomain.entries.filter { domain -> readings.all { plausible(it, domain) } }
            return when {
                readings.isEmpty() -> Undecided("no frame arrived to compare the clocks with")
                source == TimestampSource.REALTIME -> declared(readings)
                plausible.size == 1 -> Inferred(plausible.single())
                plausible.isEmpty() -> Undecided("the sensor's timestamps fit neither clock: ${ages(readings)}")
                offset != null && offset.isNothing() -> Immaterial
                else -> Undecided("the sensor's timestamps fit both clocks, which differ: ${ages(readings)}")
            }
        }

        private fun declared(readings: List<SensorReading>) =
            if (readings.any { plausible(it, ClockDomain.BOOTTIME) }) {
                Realtime
            } else {
                Undecided("the camera declares boottime and its timestamps do not fit it: ${ages(readings)}")
            }

        private fun plausible(reading: SensorReading, domain: ClockDomain): Boolean {
            val age = age(reading, domain)
            return 0 < age && age < MAX_AGE_NS
        }

        private fun age(reading: SensorReading, domain: ClockDomain) = when (domain) {
            ClockDomain.MONOTONIC -> reading.monotonic.ns - reading.timestampNs
            ClockDomain.BOOTTIME -> reading.boottime.ns - reading.timestampNs
        }

        private fun ages(readings: List<SensorReading>) = ClockDomain.entries.joinToString { domain ->
            val ages = readings.map { age(it, domain) }
            "by ${domain.name.lowercase()} they are ${ages.min()} to ${ages.max()} ns old on arrival"
        } + "; 0 to $MAX_AGE_NS is plausible"
    }
}

/** Whether both clocks read the same, as nearly as it can be known. */
internal fun ClockOffset.isNothing() =
    lowNs >= -SensorClock.MAX_IMMATERIAL_NS && highNs <= SensorClock.MAX_IMMATERIAL_NS
