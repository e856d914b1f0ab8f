package org.litebundle.core.bundle

import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Assertions.fail
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.io.TempDir
import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.io.InputStream

class SlotsTest {
    @TempDir
    lateinit var temporary: File

    private val passes = { _: Bundle -> SelfTest.Passed }
    private val folder get() = File(temporary, "slots")

    @Test
    fun `there is no bundle before the first`() {
        assertNull(Slots(folder).current)
        assertThrows(BundleException::class.java) { Slots(folder).rollback() }
    }

    @Test
    fun `bundles take turns in the slots, and the one before can come back`() {
        val slots = Slots(folder)
        val files = (1..3).map { (slots.install(bundle(it), passes) as SlotChange.Installed).file }
        assertEquals(files[0], files[2])
        assertEquals(3, version(slots.current))
        assertEquals(2, version(slots.rollback()))
        assertEquals(2, version(Slots(folder).current))
        assertEquals(3, version(slots.rollback()))
    }

    @Test
    fun `the current bundle is not copied again`() {
        val slots = Slots(folder)
        slots.install(bundle(1), passes)
        val untouched = Slots(folder, RefusingDisk)
        assertEquals(
            SlotChange.Unchanged(slots.current!!),
            untouched.install(bundle(1)) {
                fail("it was tested again")
            },
        )
        val stream = bundle(1).inputStream()
        assertEquals(SlotChange.Unchanged(slots.current!!), slots.install(stream) { fail("it was tested again") })
        assertThrows(BundleException::class.java) { slots.rollback() }
    }

    @Test
    fun `a current bundle that is damaged is replaced by a whole one`() {
        val slots = Slots(folder)
        slots.install(bundle(1), passes)
        slots.current!!.writeBytes(byteArrayOf(1))
        assertTrue(slots.install(bundle(1), passes) is SlotChange.Installed)
        assertEquals(1, version(slots.current))
        assertThrows(BundleException::class.java) { slots.rollback() }
    }

    @Test
    fun `a bundle that fails its self-test never becomes current`() {
        val slots = Slots(folder)
        slots.install(bundle(1), passes)
        val change = slots.install(bundle(2)) { SelfTest.Failed(listOf("off by one")) }
        assertEquals(SlotChange.Rejected(listOf("off by one")), change)
        assertThrows(IllegalStateException::class.java) { slots.install(bundle(3)) { throw IllegalStateException() } }
        assertEquals(1, version(slots.current))
        assertThrows(BundleException::class.java) { slots.rollback() }
        assertEquals(setOf("a.litebundle", "current"), folder.list()!!.toSet())
    }

    @Test
    fun `a damaged bundle and a folder are refused`() {
        val slots = Slots(folder)
        slots.install(bundle(1), passes)
        val damaged = bundle(2).apply { writeBytes(readBytes().also { it[100] = 1 }) }
        assertThrows(BundleException::class.java) { slots.install(damaged.inputStream(), passes) }
        assertThrows(BundleException::class.java) { slots.install(damaged, passes) }
        assertThrows(BundleException::class.java) { slots.install(temporary, passes) }
        assertEquals(setOf("a.litebundle", "current"), folder.list()!!.toSet())
        assertEquals(1, version(slots.current))
    }

    @Test
    fun `a full disk leaves the current bundle and nothing else`() {
        Slots(folder).install(bundle(1), passes)
        for (writes in 0..1) {
            val slots = Slots(folder, FullDisk(writes))
            assertThrows(IOException::class.java) { slots.install(bundle(2), passes) }
            assertEquals(1, version(Slots(folder).current))
        }
        assertTrue(Slots(folder).install(bundle(2), passes) is SlotChange.Installed)
    }

    @Test
    fun `a source that breaks off leaves the current bundle`() {
        val slots = Slots(folder)
        slots.install(bundle(1), passes)
        val torn = object : InputStream() {
            private val whole = bundle(2).inputStream()

            override fun read() = whole.read()

            override fun read(into: ByteArray, at: Int, count: Int) = if (whole.available() >
                9000
            ) {
                whole.read(into, at, minOf(count, 4096))
            } else {
                throw IOException("unplugged")
            }
        }
        assertThrows(IOException::class.java) { slots.install(torn, passes) }
        assertEquals(setOf("a.litebundle", "current"), folder.list()!!.toSet())
    }

    /** Kill the process before or within each step of an install, with and without a power cut. */
    @Test
    fun `whenever it dies, a proven bundle is current and the next install works`() {
        var deaths = 0
        for (cut in PowerCut.entries) {
            for (step in 0..100) {
                folder.deleteRecursively()
                Slots(folder).apply { install(bundle(1), passes) }.install(bundle(2), passes)
                val disk = MortalDisk(step)
                var tested = false
                try {
                    Slots(folder, disk).install(bundle(3)) {
                        disk.step()
                        tested = true
                        SelfTest.Passed
                    }
                    break
                } catch (_: Death) {
                    deaths++
                }
                disk.reboot(cut)
                assertAfterDeath(Slots(folder), tested)
            }
        }
        assertTrue(deaths >= 10 * PowerCut.entries.size, "$deaths deaths")
    }

    private fun assertAfterDeath(slots: Slots, tested: Boolean) {
        val version = version(slots.current)
        assertTrue(version in if (tested) 2..3 else 2..2, "version $version is current")
        val before = try {
            version(slots.rollback()).also { slots.rollback() }
        } catch (_: BundleException) {
            null
        }
        assertTrue(before in if (version == 3) listOf(2) else listOf(1, null), "from $version it goes back to $before")
        val change = slots.install(bundle(4), passes) as SlotChange.Installed
        assertEquals(4, version(change.file))
        assertEquals(version, version(slots.rollback()))
    }

    /** The small bundle with another version number. */
    private fun bundle(version: Int): File {
        val file = File(temporary, "번들 $version.litebundle")
        if (!file.exists()) {
            val files = Bundle.open(File(bundleVectors, "small.litebundle")).use(::filesOf)
            val manifest = files.getValue("manifest.json").decodeToString().replace("\"0.1.0\"", "\"$version.0.0\"")
            file.writeBytes(bundleOf(files + ("manifest.json" to manifest.toByteArray())))
        }
        return file
    }

    private fun version(file: File?): Int =
        Bundle.open(file!!).use { it.manifest.identity.version.substringBefore('.').toInt() }
}

/** A disk that nothing may be done to. */
private object RefusingDisk : Disk {
    override fun write(source: InputStream, to: File) = fail<Unit>("written: $to")

    override fun sync(file: File) = fail<Unit>("flushed: $file")

    override fun move(from: File, to: File) = fail<Unit>("moved: $from")

    override fun delete(file: File) = fail<Unit>("deleted: $file")
}

/** A disk that takes [wholeWrites] files more, and then a part of one. */
private class FullDisk(private var wholeWrites: Int) : Disk by Disk.System {
    override fun write(source: InputStream, to: File) {
        if (wholeWrites-- > 0) return Disk.System.write(source, to)
        to.writeBytes(ByteArray(10).also { source.read(it) })
        throw IOException("No space left on device")
    }
}

private class Death : Error()

/** What a power cut does to what was not flushed; [NONE]: the process alone dies. */
private enum class PowerCut { NONE, LOSES_NAMES_AND_CONTENT, LOSES_FIRST_NAME, LOSES_CONTENT }

/** A disk under a process that dies in the step numbered [lastStep], and does nothing after that. */
private class MortalDisk(private val lastStep: Int) : Disk {
    private var steps = 0
    private val unflushed = HashSet<File>()

    /** How to take back each change of names since the folder was flushed. */
    private val changes = ArrayList<() -> Unit>()

    fun step() {
        if (steps++ >= lastStep) throw Death()
    }

    override fun write(source: InputStream, to: File) {
        unflushed.add(to)
        if (steps >= lastStep) to.writeBytes(ByteArray(20).also { source.read(it) })
        step()
        Disk.System.write(source, to)
    }

    override fun sync(file: File) {
        step()
        unflushed.remove(file)
        if (file.isDirectory) changes.clear()
    }

    override fun move(from: File, to: File) {
        step()
        remember(from, to)
        if (unflushed.remove(from)) unflushed.add(to)
        Disk.System.move(from, to)
    }

    override fun delete(file: File) {
        step()
        if (file.exists()) remember(file)
        Disk.System.delete(file)
    }

    fun reboot(cut: PowerCut) {
        if (cut == PowerCut.NONE) return
        for (file in unflushed) if (file.exists()) file.writeBytes(file.readBytes().let { it.copyOf(it.size / 2) })
        if (cut == PowerCut.LOSES_NAMES_AND_CONTENT) changes.asReversed().forEach { it() }
        if (cut == PowerCut.LOSES_FIRST_NAME) changes.firstOrNull()?.invoke()
    }

    private fun remember(vararg files: File) {
        val contents = files.associateWith { if (it.exists()) it.readBytes() else null }
        changes.add {
            for ((file, content) in contents) {
                if (content ==
                    null
                ) {
                    file.delete()
                } else {
                    file.writeBytes(content)
                }
            }
        }
    }
}
