package org.litebundle.core.bench

import com.sun.management.ThreadMXBean
import org.litebundle.core.bundle.Accelerator
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import org.litebundle.core.glue.Operation
import org.litebundle.core.glue.Operations
import org.litebundle.core.glue.Step
import org.litebundle.core.graph.PreparedGraph
import org.litebundle.core.png.Png
import org.litebundle.core.run.Result
import org.litebundle.core.run.StageListener
import org.litebundle.core.run.StageMark
import org.litebundle.core.value.DType
import java.io.File
import java.lang.management.ManagementFactory
import java.nio.ByteBuffer
import java.nio.ByteOrder

/**
 * `CoreBench BUNDLE FOLDER`: frames of the photos that parity/expect.py left in FOLDER, with models that play back what
 * the real ones computed. Prints for each photo `photo glue_ns core_ns allocated_bytes`: the least time in glue
 * operations; the least of all else but the models' runs; the least heap that a frame allocates.
 */
fun main(arguments: Array<String>) {
    Bundle.open(File(arguments[0])).use { bundle ->
        val photos = File(arguments[1], "photos").listFiles { file -> file.extension == "png" }!!.sorted()
        val bench = CoreBench(bundle)
        repeat(WARM_UP_ROUNDS) { for (photo in photos) bench.measure(photo) }
        for (photo in photos) println("${photo.name} ${bench.measure(photo)}")
    }
}

private const val WARM_UP_ROUNDS = 2
private const val REPEATS = 40

private class CoreBench(bundle: Bundle) {
    private val played = PlayedOutputs()
    private val timed = TimedGlue()
    private val graph = PreparedGraph(
        bundle.graph,
        bundle.manifest.stages.associate { it.name to (it to PlayedModel(it, played)) },
        bundle::labels,
        MonotonicClock.System,
        Operations.all.mapValues { timed.operation(it.value) },
    )
    private val result = Result(bundle.manifest.graph.results, graph::value)
    private val runs = RunTime()
    private val threads = ManagementFactory.getThreadMXBean() as ThreadMXBean

    fun measure(photo: File): String {
        val image = Png.decode(ByteBuffer.wrap(photo.readBytes()))
        played.load(File(photo.path.removeSuffix("png") + "bin"))
        var glueNs = Long.MAX_VALUE
        var coreNs = Long.MAX_VALUE
        var bytes = Long.MAX_VALUE
        repeat(REPEATS) {
            played.rewind()
            timed.ns = 0
            runs.ns = 0
            val heap = threads.currentThreadAllocatedBytes
            val start = System.nanoTime()
            graph.run(image, runs)
            result.update()
            val totalNs = System.nanoTime() - start
            bytes = minOf(bytes, threads.currentThreadAllocatedBytes - heap)
            glueNs = minOf(glueNs, timed.ns)
            coreNs = minOf(coreNs, totalNs - timed.ns - runs.ns)
        }
        return "$glueNs $coreNs $bytes"
    }
}

/** Sums the time that all its operations take. */
private class TimedGlue {
    var ns = 0L

    fun operation(of: Operation) = Operation(of.name, of.inputs, of.outputs) { attributes ->
        val step = of.prepare(attributes)
        Step { inputs, outputs ->
            val start = System.nanoTime()
            step.run(inputs, outputs)
            ns += System.nanoTime() - start
        }
    }
}

/** Sums the time from each enqueueing to its readiness. */
private class RunTime : StageListener {
    var ns = 0L
    private var enqueuedNs = 0L

    override fun mark(stage: Int, mark: StageMark, at: MonotonicNs) {
        if (mark == StageMark.RUN_ENQUEUED) enqueuedNs = at.ns
        if (mark == StageMark.RUN_READY) ns += at.ns - enqueuedNs
    }
}

/** The outputs of all runs of a photo, one behind the other. */
private class PlayedOutputs {
    private var bytes = ByteArray(0)
    private var at = 0

    fun load(file: File) {
        bytes = file.readBytes()
    }

    fun rewind() {
        at = 0
    }

    fun next(into: ByteBuffer) {
        into.clear()
        into.put(bytes, at, into.capacity())
        at += into.capacity()
    }
}

private class PlayedModel(stage: StageSpec, private val played: PlayedOutputs) : Model {
    init {
        for (output in stage.outputs) {
            require(output.dtype == DType.FLOAT32) {
                "stage '${stage.name}' gives ${output.dtype.id}; play back float32"
            }
        }
    }

    override val residency = Residency.Proven(Accelerator.CPU, "plays outputs back")
    override val inputs = stage.inputs.map { memory(it.shape.fold(it.dtype.bytes, Int::times)) }
    override val outputs = stage.outputs.map { memory(it.shape.fold(it.dtype.bytes, Int::times)) }
    override val keepsInputs = true

    override fun enqueue() = Unit

    override fun await() {
        for (i in outputs.indices) played.next(outputs[i])
    }

    override fun close() = Unit

    private fun memory(sizeBytes: Int) = ByteBuffer.allocateDirect(sizeBytes).order(ByteOrder.nativeOrder())
}
