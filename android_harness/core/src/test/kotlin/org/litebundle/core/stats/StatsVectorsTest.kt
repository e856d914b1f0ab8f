package org.litebundle.core.stats

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.MethodSource
import org.litebundle.core.json.Json
import java.io.File

/** Kotlin against tests/vectors/stats, which numpy computed. */
class StatsVectorsTest {
    @ParameterizedTest
    @MethodSource("vectors")
    fun `exact percentiles are those of numpy's inverted_cdf`(vector: Vector) {
        for ((percent, expected) in vector.percentiles) {
            assertEquals(expected, Percentiles.exact(vector.samples.sortedArray(), percent))
        }
    }

    @ParameterizedTest
    @MethodSource("vectors")
    fun `block length is Politis and White's`(vector: Vector) =
        assertEquals(vector.blockLength, BlockLength.of(vector.samples))

    @ParameterizedTest
    @MethodSource("vectors")
    fun `bootstrap intervals of the same resamples are equal`(vector: Vector) {
        val percents = vector.intervals.keys.toList()
        val found = with(vector) { BlockBootstrap.estimate(samples, percents, blockLength, replicates, seed) }
        assertEquals(vector.intervals.values.toList(), found.map { it.lowNs to it.highNs })
        assertEquals(percents.map(vector.percentiles::getValue), found.map { it.valueNs })
    }

    @ParameterizedTest
    @MethodSource("vectors")
    fun `steady state begins where MSER-5 says`(vector: Vector) =
        assertEquals(vector.steadyFrom, Mser5.steadyFrom(vector.samples))

    class Vector(file: File) {
        private val name = file.nameWithoutExtension
        private val json = Json.parse(file.readText()) as Json.Object
        private val bootstrap = json["bootstrap"] as Json.Object
        val samples = longs(json["samples"]).toLongArray()
        val percentiles = (json["percentiles"] as Json.Object).members.entries.associate { (k, v) ->
            k.toInt() to
                long(v)
        }
        val blockLength = long(json["block_length"]).toInt()
        val replicates = long(bootstrap["replicates"]).toInt()
        val seed = long(bootstrap["seed"])
        val intervals = (bootstrap["intervals"] as Json.Object).members.entries.associate { (percent, ends) ->
            percent.toInt() to longs(ends).let { (low, high) -> low to high }
        }
        val steadyFrom = json["mser5"].takeIf { it != Json.Null }?.let { long(it).toInt() }

        override fun toString() = name

        private operator fun Json.Object.get(key: String) = members.getValue(key)

        private fun long(json: Json) = (json as Json.Number).text.toLong()

        private fun longs(json: Json) = (json as Json.Array).items.map(::long)
    }

    companion object {
        @JvmStatic
        fun vectors(): List<Vector> {
            val files = File(
                System.getProperty("litebundle.root"),
                "tests/vectors/stats",
            ).listFiles().orEmpty().sorted()
            assertTrue(files.isNotEmpty())
            return files.map(::Vector)
        }
    }
}
