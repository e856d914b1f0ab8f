package org.litebundle.core.bundle

import java.io.File
import java.io.FileInputStream
import java.io.IOException
import java.io.InputStream

/** How a bundle's golden vectors went on this device. */
sealed interface SelfTest {
    data object Passed : SelfTest

    data class Failed(val reasons: List<String>) : SelfTest
}

/** What came of an install. */
sealed interface SlotChange {
    /** [file] is the new current bundle. */
    data class Installed(val file: File) : SlotChange

    /** The same bundle, whole, was current already. */
    data class Unchanged(val file: File) : SlotChange

    /** The bundle failed its self-test; the one that was current still is. */
    data class Rejected(val reasons: List<String>) : SlotChange
}

/**
 * Two places for bundles in [folder], which is theirs alone, and a pointer to the one in use.
 *
 * A bundle is written into the free slot as `x.part`, opened with all checks, flushed, renamed, run against its golden
 * vectors, and only then does the pointer flip, in one rename. Whenever the process dies or the power fails, the
 * pointer names a whole bundle that passed its self-test on this device, or none.
 *
 * The pointer, `current`, is one or two lines of `<slot> <digest>`: the bundle in use, and the one before. As it has
 * their digests, it never takes an unproven bundle in the other slot for the one before.
 */
class Slots internal constructor(private val folder: File, private val disk: Disk) {
    constructor(folder: File) : this(folder, Disk.System)

    private class Proven(val slot: String, val digest: String)

    private val pointer = File(folder, "current")

    /** The bundle in use, null before the first install. */
    val current: File?
        @Synchronized get() = proven().firstOrNull()?.let(::file)?.takeIf { it.isFile }

    /**
     * Install the bundle that [source] holds (a zip); it is read to its end and not closed.
     *
     * Whatever is thrown, the current bundle stays: [BundleException] for a bundle that is refused, [IOException] if
     * the disk is full or [source] fails, and what [selfTest] throws.
     */
    @Synchronized
    fun install(source: InputStream, selfTest: (Bundle) -> SelfTest): SlotChange {
        if (!folder.isDirectory && !folder.mkdirs()) throw IOException("$folder: cannot be made")
        for (slot in slots) disk.delete(part(slot))
        val proven = proven()
        val slot = slots.first { it != proven.firstOrNull()?.slot }
        try {
            disk.write(source, part(slot))
            val digest = Bundle.open(part(slot)).use { it.digest }
            return currentWith(digest) ?: prove(slot, digest, proven, selfTest)
        } finally {
            disk.delete(part(slot))
        }
    }

    /** Install the zip [source]; it is not copied if it is the current bundle. Otherwise as above. */
    @Synchronized
    fun install(source: File, selfTest: (Bundle) -> SelfTest): SlotChange {
        if (source.isDirectory) throw BundleException("$source: is a folder; install the zip it came from")
        val digest = Bundle.open(source).use { it.digest }
        return currentWith(digest) ?: FileInputStream(source).use { install(it, selfTest) }
    }

    /**
     * Go back to the bundle before the current one, which becomes the one before.
     *
     * Throws [BundleException] if there is none, or it is not whole, and [IOException].
     */
    @Synchronized
    fun rollback(): File {
        val proven = proven()
        if (proven.size < 2 ||
            !isWhole(proven[1])
        ) {
            throw BundleException("$folder: there is no earlier bundle to go back to")
        }
        point(proven.reversed())
        return file(proven[1])
    }

    private fun prove(slot: String, digest: String, proven: List<Proven>, selfTest: (Bundle) -> SelfTest): SlotChange {
        val new = Proven(slot, digest)
        disk.sync(part(slot))
        disk.move(part(slot), file(new))
        disk.sync(folder)
        var passed = false
        try {
            val result = Bundle.open(file(new)).use(selfTest)
            if (result is SelfTest.Failed) return SlotChange.Rejected(result.reasons)
            passed = true
        } finally {
            if (!passed) disk.delete(file(new))
        }
        point(listOf(new) + proven.take(1))
        return SlotChange.Installed(file(new))
    }

    private fun currentWith(digest: String): SlotChange? =
        proven().firstOrNull()?.takeIf { it.digest == digest && isWhole(it) }?.let { SlotChange.Unchanged(file(it)) }

    private fun isWhole(proven: Proven): Boolean = try {
        Bundle.open(file(proven)).use { it.digest == proven.digest }
    } catch (_: BundleException) {
        false
    } catch (_: IOException) {
        false
    }

    private fun point(proven: List<Proven>) {
        val next = File(folder, "current.part")
        val text = proven.joinToString("") { "${it.slot} ${it.digest}\n" }
        disk.write(text.byteInputStream(), next)
        disk.sync(next)
        disk.move(next, pointer)
        disk.sync(folder)
    }

    /** The current bundle and the one before, as far as there are any. */
    private fun proven(): List<Proven> {
        if (!pointer.isFile) return emptyList()
        return line.findAll(pointer.readText()).map { Proven(it.groupValues[1], it.groupValues[2]) }.toList()
    }

    private fun file(proven: Proven) = File(folder, "${proven.slot}.litebundle")

    private fun part(slot: String) = File(folder, "$slot.litebundle.part")

    private companion object {
        val slots = listOf("a", "b")
        val line = Regex("([ab]) ([0-9a-f]{64})\n")
    }
}
