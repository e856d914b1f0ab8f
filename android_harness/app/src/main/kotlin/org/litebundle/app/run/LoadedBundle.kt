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
    /** What of the bundle's golden vectors does not hold on this device; empty: all hold. */
    fun goldenFailures(): List<String> =
        GoldenCheck(bundle, runner).run().filterNot { it.passed }.map { "${it.name}: ${it.fault}" }

    override fun close() {
        runner.close()
        engine.close()
        bundle.close()
    }

    companion object {
        /** Throws what [open] throws, BundleException or EngineException where the engine refuses a model. */
        fun load(open: () -> Bundle): LoadedBundle {
            val begun = System.nanoTime()
            val bundle = open()
            val engine = TfliteEngine()
            val runner = Runner(bundle, engine)
            return LoadedBundle(bundle, engine, runner, System.nanoTime() - begun)
        }
    }
}
