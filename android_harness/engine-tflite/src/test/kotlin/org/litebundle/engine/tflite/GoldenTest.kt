package org.litebundle.engine.tflite

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.litebundle.core.golden.GoldenCheck
import org.litebundle.core.run.Runner

class GoldenTest {
    @Test
    fun `every golden vector of the example passes`() {
        Example.open().use { bundle ->
            Runner(bundle, TfliteEngine()).use { runner ->
                val checks = GoldenCheck(bundle, runner).run()
                assertEquals(emptyList<String>(), checks.filterNot { it.passed }.map { "${it.name}: ${it.fault}" })
            }
        }
    }
}
