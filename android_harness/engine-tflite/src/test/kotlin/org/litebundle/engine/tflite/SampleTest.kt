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
/** Reads the formulas in a photo: LaTeX and place of each. */
class FormulaReader(bundleFile: File) : AutoCloseable {
    private val bundle = Bundle.open(bundleFile) // every byte is checked
    private val engine = TfliteEngine(threads = 2)
    private val runner = Runner(bundle, engine)
    private val corners = FloatArray(4)

    fun read(photo: Image) {
        val result = runner.run(photo) // memory of the runner, good until the next run
        for (i in 0 until result.count) {
            result.box(i, "box", corners)
            show(result.text(i, "text").toString(), corners[0], corners[1], corners[2], corners[3])
        }
    }

    override fun close() = listOf(runner, engine, bundle).forEach(AutoCloseable::close)
// end sample

    val shown = ArrayList<Pair<String, List<Float>>>()

    private fun show(latex: String, vararg corners: Float) {
        shown += latex to corners.asList()
    }
}

class SampleTest {
    @Test
    fun `the sample reads the formulas of a golden photo`() {
        Example.open().use { bundle ->
            val vector = bundle.manifest.golden.pipeline.vectors.first()
            val expected = (Json.parse(bundle.file(vector.items)) as Json.Array).items.map {
                (it as Json.Object).members
            }
            FormulaReader(Example.file).use { reader ->
                reader.read(Png.decode(bundle.file(vector.photo)))
                assertEquals(expected.map { (it.getValue("text") as Json.Text).value }, reader.shown.map { it.first })
            }
        }
    }
}
