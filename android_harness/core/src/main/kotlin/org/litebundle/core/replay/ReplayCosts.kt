package org.litebundle.core.replay

import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed
import kotlin.math.roundToLong

/**
 * What a replay on the virtual clock takes for its costs, in ns: to convert a frame to RGB, and per stage of the bundle.
 * [refreshHz] is the refresh rate of the display that is modelled.
 */
data class ReplayCosts(val refreshHz: Double, val convertNs: Long, val stages: Map<String, StageCost>) {
    companion object {
        private val version = Regex("1\\.[0-9]{1,6}")
        private const val NS_PER_MS = 1e6
        private const val MAX_MS = 60_000.0
        private val refreshRates = 1.0..1000.0

        /** Read the costs for a bundle of [stages] (docs/harness.md, "Replay"). Throws [JsonException]. */
        fun parse(json: Json, stages: List<String>): ReplayCosts {
            val costs = Placed(json)
            if (!version.matches(costs["format_version"].text())) costs["format_version"].fail("is no version 1.x")
            val refresh = costs["refresh_hz"]
            if (refresh.number() !in refreshRates) refresh.fail("must be from 1 to 1000")
            val stageCosts = costs["stages"].map(::readCost)
            if (stageCosts.keys != stages.toSet()) {
                costs["stages"].fail("must be those of the bundle: ${stages.joinToString()}")
            }
            return ReplayCosts(refresh.number(), nanoseconds(costs["convert_ms"]), stageCosts)
        }

        private fun readCost(cost: Placed) =
            StageCost(nanoseconds(cost["pre_ms"]), nanoseconds(cost["run_ms"]), nanoseconds(cost["post_ms"]))

        private fun nanoseconds(duration: Placed): Long {
            if (duration.number() !in 0.0..MAX_MS) duration.fail("must be from 0 to $MAX_MS")
            return (duration.number() * NS_PER_MS).roundToLong()
        }
    }
}

/** In ns: [preNs] once a frame, [runNs] for each run of the model, [postNs] once if there was one. */
data class StageCost(val preNs: Long, val runNs: Long, val postNs: Long)
