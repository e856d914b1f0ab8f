package org.litebundle.app.run

import org.junit.Assert.assertEquals
import org.junit.Assert.assertThrows
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.AppTestRunner
import org.litebundle.app.Phone
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.StageSpec
import org.litebundle.core.engine.Engine
import org.litebundle.core.engine.EngineException
import org.litebundle.core.engine.Model
import org.robolectric.annotation.Config
import java.nio.ByteBuffer

@RunWith(AppTestRunner::class)
@Config(sdk = [33])
class LoadedBundleTest {
    @Test
    fun `a model that is refused leaves nothing open`() {
        var closes = 0
        val engine = object : Engine {
            override val name = "none"

            override fun load(flatbuffer: ByteBuffer, stage: StageSpec): Model = throw EngineException("no")

            override fun close() {
                closes++
            }
        }
        val bundle = Bundle.open(Phone.example)
        assertThrows(EngineException::class.java) { LoadedBundle.load({ engine }) { bundle } }
        assertEquals(1, closes)
        assertThrows(IllegalStateException::class.java) { bundle.file("manifest.json") }
    }
}
