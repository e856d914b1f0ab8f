package org.litebundle.core.golden

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.litebundle.core.json.Json

/** docs/bundle.md, "Golden vectors". */
class ItemComparisonTest {
    private val tolerance = mapOf("box" to 0.5)
    private val expected = """[{"box":[1,2,3,4],"text":"x"}]"""

    @Test
    fun `numbers within the tolerance pass, on its edge too`() {
        val comparison = compare("""[{"box":[1.5,2,3,4],"text":"x"}]""")
        assertEquals("", comparison.fault)
        assertEquals(mapOf("box" to 0.5, "text" to 0.0), comparison.maxAbs)
    }

    @Test
    fun `all else fails`() {
        val wrong = listOf(
            """[]""",
            """[{"box":[1.5001,2,3,4],"text":"x"}]""",
            """[{"box":[1,2,3],"text":"x"}]""",
            """[{"box":[1,2,3,4],"text":"y"}]""",
            """[{"box":[1,2,3,4]}]""",
            """[{"box":[1,2,3,4],"text":"x","more":1}]""",
            """[{"box":null,"text":"x"}]""",
        )
        for (found in wrong) assertTrue(compare(found).fault.isNotEmpty(), found)
    }

    @Test
    fun `a whole number without a tolerance must be equal, however it is written`() {
        assertEquals("", compare("""[{"angle":1.0}]""", """[{"angle":1}]""").fault)
        assertTrue(compare("""[{"angle":2}]""", """[{"angle":1}]""").fault.isNotEmpty())
    }

    private fun compare(found: String, expected: String = this.expected) =
        ItemComparison(items(found), items(expected), tolerance)

    private fun items(json: String) = (Json.parse(json) as Json.Array).items.map { (it as Json.Object).members }
}
