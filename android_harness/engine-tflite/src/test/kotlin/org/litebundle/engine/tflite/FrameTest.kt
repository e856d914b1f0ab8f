package org.litebundle.engine.tflite

import org.junit.jupiter.api.AfterEach
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.png.Png
import org.litebundle.core.run.Runner
import org.litebundle.core.run.StageListener
import org.litebundle.core.run.StageMark
import org.litebundle.core.value.Image

class FrameTest {
    private val bundle = Example.open()
    private val engine = TfliteEngine()
    private val photos = bundle.manifest.golden.pipeline.vectors.map {
        Png.decode(bundle.file(it.photo))
    }.toTypedArray()

    @AfterEach
    fun close() {
        engine.close()
        bundle.close()
    }

    @Test
    fun `a frame allocates nothing in the steady state, although photos alternate`() {
        val corners = FloatArray(4)
        Runner(bundle, engine).use { runner ->
            assertEquals(0, Allocation.leastBytes { for (photo in photos) frame(runner, photo, corners) })
        }
    }

    private fun frame(runner: Runner, photo: Image, corners: FloatArray): Int {
        val result = runner.run(photo)
        var length = 0
        for (i in 0 until result.count) {
            result.box(i, "box", corners)
            length += result.text(i, "text").length
        }
        return length
    }

    @Test
    fun `a closed runner refuses, and touches no memory of its models`() {
        val runner = Runner(bundle, engine)
        runner.close()
        assertThrows(IllegalStateException::class.java) { runner.run(photos[0]) }
    }

    @Test
    fun `stages leave no gap, so their parts sum to the frame to the nanosecond`() {
        val random = java.util.Random(1)
        var ns = 0L
        val clock = MonotonicClock {
            ns += random.nextInt(1000).toLong()
            MonotonicNs(ns)
        }
        Runner(bundle, engine, clock).use { runner ->
            val marks = Marks()
            runner.run(photos[0], marks)
            assertEquals(listOf("locate", "orient", "encode", "decode"), runner.stageNames)
            val stages = runner.stageNames.indices.map(marks::stage)
            assertEquals(ns, stages.last().getValue(StageMark.POST_END).last())
            for (stage in stages) {
                val begin = stage.getValue(StageMark.PRE_BEGIN).single()
                val preEnd = stage.getValue(StageMark.PRE_END).single()
                val postBegin = stage.getValue(StageMark.POST_BEGIN).single()
                assertEquals(stage.getValue(StageMark.RUN_ENQUEUED).first(), preEnd)
                assertEquals(stage.getValue(StageMark.RUN_READY).last(), postBegin)
                assertTrue(begin <= preEnd && preEnd <= postBegin)
            }
            for ((one, next) in stages.zipWithNext()) {
                assertEquals(one.getValue(StageMark.POST_END).single(), next.getValue(StageMark.PRE_BEGIN).single())
            }
        }
    }

    @Test
    fun `a stage runs once per box, and not at all without one`() {
        val bare = Image().apply { reshape(131, 97, 3) }
        Runner(bundle, engine).use { runner ->
            val marks = Marks()
            assertEquals(0, runner.run(bare, marks).count)
            val encode = marks.stage(runner.stageNames.indexOf("encode"))
            assertEquals(
                setOf(StageMark.PRE_BEGIN, StageMark.PRE_END, StageMark.POST_BEGIN, StageMark.POST_END),
                encode.keys,
            )
            marks.clear()
            val count = runner.run(photos[0], marks).count
            assertEquals(count, marks.stage(runner.stageNames.indexOf("encode")).getValue(StageMark.RUN_READY).size)
        }
    }

    private class Marks : StageListener {
        private val heard = ArrayList<Triple<Int, StageMark, Long>>()

        override fun mark(stage: Int, mark: StageMark, at: MonotonicNs) {
            if (heard.isNotEmpty()) assertTrue(at.ns >= heard.last().third, "$mark of stage $stage goes back in time")
            heard += Triple(stage, mark, at.ns)
        }

        fun stage(stage: Int): Map<StageMark, List<Long>> =
            heard.filter { it.first == stage }.groupBy({ it.second }, { it.third })

        fun clear() = heard.clear()
    }
}
