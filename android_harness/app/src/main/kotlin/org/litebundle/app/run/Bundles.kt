package org.litebundle.app.run

import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.bundle.SelfTest
import org.litebundle.core.bundle.SlotChange
import org.litebundle.core.bundle.Slots
import org.litebundle.core.engine.EngineException
import java.io.File
import java.io.IOException

/**
 * The bundle of a run, tested on this device a moment ago.
 *
 * @property goldenFailures what of its golden vectors does not hold; empty: all hold
 * @property replaced why the bundle that was in use is so no more; null: it is, or another was asked for
 */
class TestedBundle(val goldenFailures: List<String>, val replaced: String?, val open: () -> Bundle)

/** The app's bundles: those in its two slots, which are in [folder], and the one that is built in. */
class Bundles(folder: File, private val builtIn: () -> Bundle) {
    private val slots = Slots(folder)

    /**
     * The bundle for [order], its golden vectors run: also one that passed when it was put into its slot, as the system
     * may have changed since.
     *
     * Throws BundleException if it is refused, also by its own golden vectors when it is put into a slot, IOException, and
     * EngineException.
     */
    fun of(order: RunOrder): TestedBundle = synchronized(Bundles::class.java) {
        when {
            order.bundle != null -> tested(inSlot(install(order.bundle)))
            order.writesReport -> tested(builtIn)
            else -> inUse()
        }
    }

    private fun inSlot(slot: File) = { Bundle.open(slot) }

    private fun tested(open: () -> Bundle, replaced: String? = null) =
        TestedBundle(LoadedBundle.goldenFailures(open), replaced, open)

    /** What was installed last, if it still works; else the one before, else the built-in. */
    private fun inUse(): TestedBundle {
        val current = slots.current ?: return tested(builtIn)
        val fault = fault(current) ?: return TestedBundle(emptyList(), null, inSlot(current))
        val before = try {
            slots.rollback()
        } catch (_: BundleException) {
            null
        }
        if (before == null || fault(before) != null) return tested(builtIn, fault)
        return TestedBundle(emptyList(), fault, inSlot(before))
    }

    /** Why the bundle in [slot] cannot be used here; null: it can. */
    private fun fault(slot: File): String? = try {
        LoadedBundle.goldenFailures(inSlot(slot)).takeIf { it.isNotEmpty() }?.joinToString("; ")
    } catch (error: BundleException) {
        error.message
    } catch (error: EngineException) {
        error.message
    } catch (error: IOException) {
        error.message
    }

    /** The slot that now holds [bundle]. Throws BundleException if it is refused, also by its own golden vectors. */
    private fun install(bundle: File): File = when (val change = slots.install(bundle, ::selfTest)) {
        is SlotChange.Installed -> change.file
        is SlotChange.Unchanged -> change.file
        is SlotChange.Rejected -> throw BundleException("$bundle: ${change.reasons.joinToString("; ")}")
    }

    private fun selfTest(bundle: Bundle): SelfTest {
        val failures = LoadedBundle.goldenFailures { bundle }
        return if (failures.isEmpty()) SelfTest.Passed else SelfTest.Failed(failures)
    }
}
