package org.litebundle.core.files

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.io.IOException
import java.io.OutputStream

class WholeFilesTest {
    @TempDir
    lateinit var folder: File

    private fun text(text: String) = { out: OutputStream -> out.write(text.toByteArray()) }

    private fun content() = folder.walk().filter { it.isFile }.associate { it.name to it.readText() }

    @Test
    fun `all files are there, and none of the temporary ones`() {
        WholeFiles(listOf("a" to text("1"), "b" to text("2"))).write(folder)
        WholeFiles(listOf("a" to text("3"), "b" to text("4"))).write(folder)
        assertEquals(mapOf("a" to "3", "b" to "4"), content())
    }

    @Test
    fun `if one cannot be written whole, what was there before stays and nothing else`() {
        WholeFiles(listOf("a" to text("1"), "b" to text("2"))).write(folder)
        val full = { out: OutputStream ->
            out.write("half".toByteArray())
            throw IOException("No space left on device")
        }
        assertThrows(IOException::class.java) { WholeFiles(listOf("a" to text("3"), "b" to full)).write(folder) }
        assertEquals(mapOf("a" to "1", "b" to "2"), content())
    }

    @Test
    fun `the last file is never seen beside others than its own`() {
        WholeFiles(listOf("a" to text("1"), "b" to text("2"))).write(folder)
        File(folder, "a").delete()
        File(folder, "a/blocks the rename").mkdirs()
        assertThrows(IOException::class.java) { WholeFiles(listOf("a" to text("3"), "b" to text("4"))).write(folder) }
        assertEquals(emptyMap<String, String>(), content())
    }

    @Test
    fun `if the last cannot be renamed, those before it do not stay`() {
        WholeFiles(listOf("a" to text("1"))).write(folder)
        File(folder, "b/blocks the rename").mkdirs()
        assertThrows(IOException::class.java) { WholeFiles(listOf("a" to text("3"), "b" to text("4"))).write(folder) }
        assertEquals(emptyMap<String, String>(), content())
    }
}
