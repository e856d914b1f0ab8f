package org.litebundle.core.run

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.clock.MonotonicClock
import org.litebundle.core.engine.Engine
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.litebundle.core.engine.Residency
import org.litebundle.core.graph.GraphException
import org.litebundle.core.graph.PreparedGraph
import org.litebundle.core.graph.RunException
import org.litebundle.core.value.Image
import java.io.Closeable

/**
 * A bundle's models, loaded once and run on many photos: `Runner(bundle, engine).run(photo)`. One thread at a time.
 *
 * [bundle] and [engine] stay open while it is used, and are the caller's to close. All times are [clock]'s.
 *
 * Throws [EngineException] if the engine refuses a model, [BundleException] if the graph cannot be run.
 */
class Runner(bundle: Bundle, engine: Engine, clock: MonotonicClock = MonotonicClock.System) : Closeable {
    private val models = LinkedHashMap<String, Pair<StageSpec, Model>>()
    private val graph: PreparedGraph
    private val result: Result

    init {
        try {
            for (stage in bundle.manifest.stages) {
                models[stage.name] = stage to engine.load(bundle.file(stage.file), stage)
            }
            graph = PreparedGraph(bundle.graph, models, bundle::labels, clock)
            result = Result(bundle.manifest.graph.results, graph::value)
        } catch (error: EngineException) {
            close()
            throw error
        } catch (error: GraphException) {
            close()
            throw BundleException("file 'manifest.json': ${error.message}")
        }
    }

    /** The stages in the order in which they run; a [StageListener]'s stage is an index of this. */
    val stageNames: List<String> get() = graph.stages

    /** Where each stage's model runs. */
    val residencies: Map<String, Residency> = models.mapValues { (_, loaded) -> loaded.second.residency }

    /**
     * Run the pipeline on [photo], RGB; [listener] hears the moments of its stages.
     *
     * The result holds until the next run. Throws [RunException] if a node refuses what comes to it, and
     * [IllegalStateException] once this is closed, as the models' memory is gone.
     */
    fun run(photo: Image, listener: StageListener = StageListener.None): Result {
        require(photo.channels == RGB && photo.size > 0) {
            "the photo has ${photo.width} x ${photo.height} pixels and ${photo.channels} channels; give one in RGB"
        }
        check(models.isNotEmpty()) { "the runner is closed; make another one" }
        graph.run(photo, listener)
        result.update()
        return result
    }

    /** A stage's model, for golden vectors. */
    internal fun model(stage: String): Model = models.getValue(stage).second

    override fun close() {
        for ((_, model) in models.values) model.close()
        models.clear()
    }

    private companion object {
        const val RGB = 3
    }
}
