package org.litebundle.app.run

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.engine.Engine
import org.litebundle.core.golden.GoldenCheck
import org.litebundle.core.run.Runner
import org.litebundle.engine.tflite.TfliteEngine
import java.io.Closeable

/** A bundle whose models are loaded. [loadNs]: how long it took to open the bundle and load its models. */
class LoadedBundle private constructor(val bundle: Bundle, val engine: Engine, val runner: Runner, val loadNs: Long) :
    Closeable {
    override fun close() {
        runner.close()
        engine.close()
        bundle.close()
    }

    companion object {
        /** Throws what [open] throws, BundleException or EngineException where the engine refuses a model. */
        fun load(engine: () -> Engine = ::TfliteEngine, open: () -> Bundle): LoadedBundle {
            val begun = System.nanoTime()
            val opened = ArrayDeque<AutoCloseable>()
            try {
                val bundle = open().also(opened::addFirst)
                val used = engine().also(opened::addFirst)
                return LoadedBundle(bundle, used, Runner(bundle, used), System.nanoTime() - begun)
            } catch (error: Throwable) {
                opened.forEach(AutoCloseable::close)
                throw error
            }
        }

        /**
         * What of the golden vectors of the bundle that [open] gives does not hold on this device; empty: all hold. Its
         * models are closed again, so that those that are measured have not run before. Throws as [load].
         */
        fun goldenFailures(open: () -> Bundle): List<String> =
            load(open = open).use { GoldenCheck(it.bundle, it.runner).failures() }
    }
}
