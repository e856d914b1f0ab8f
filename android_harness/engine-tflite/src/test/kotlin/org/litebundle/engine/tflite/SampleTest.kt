package org.litebundle.engine.tflite

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.json.Json
import org.litebundle.core.png.Png
import org.litebundle.core.run.Runner
import org.litebundle.core.value.Image
import java.io.File

// begin sample
class FormulaReader(bundleFile: File) : AutoCloseable {
    private val bundle = Bundle.open(bundleFile) // checks every byte
    private val engine = TfliteEngine(threads = 2)
    private val runner = Runner(bundle, engine)
    private val corners = FloatArray(4)

    /** Tell [show] the LaTeX of each formula in the photo, and its box: x0, y0, x1, y1 in pixels. */
    fun read(photo: Image, show: (CharSequence, FloatArray) -> Unit) {
        val result = runner.run(photo) // the runner's memory: good until the next run
        for (i in 0 until result.count) {
            result.box(i, "box", corners)
            show(result.text(i, "text"), corners)
        }
    }

    override fun close() = listOf(runner, engine, bundle).forEach(AutoCloseable::close)
}
// end sample

class SampleTest {
    @Test
    fun `the sample reads the formulas of a golden photo`() {
        Example.open().use { bundle ->
            val vector = bundle.manifest.golden.pipeline.vectors.first()
            val expected = (Json.parse(bundle.file(vector.items)) as Json.Array).items.map {
                (it as Json.Object).members
            }
            val shown = ArrayList<String>()
            FormulaReader(Example.file).use { reader ->
                reader.read(Png.decode(bundle.file(vector.photo))) { latex, _ -> shown += latex.toString() }
            }
            assertEquals(expected.map { (it.getValue("text") as Json.Text).value }, shown)
        }
    }
}
