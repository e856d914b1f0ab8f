package org.litebundle.app.run

import android.content.Context
import android.os.Handler
import android.os.Looper
import org.litebundle.core.bundle.Bundle
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.bundle.SelfTest
import org.litebundle.core.bundle.SlotChange
import org.litebundle.core.bundle.Slots
import org.litebundle.core.engine.EngineException
import org.litebundle.core.recording.Recording
import org.litebundle.core.recording.RecordingException
import org.litebundle.core.report.Corrections
import java.io.File
import java.io.IOException
import java.time.Instant
import java.util.concurrent.atomic.AtomicBoolean

/** Hears how a [RunJob] gets on, on the main thread; after one of the last three, nothing more. */
interface RunJobListener {
    /** The bundle is loaded; give the job a session to run, or let it replay. */
    fun loaded(loaded: LoadedBundle)

    fun viewed(view: LiveView)

    /** [report] is null where none was asked for. */
    fun done(report: File?)

    fun refused(reason: String)

    fun failed(reason: String)
}

/**
 * One order: its bundle is put into a slot, tested and loaded, its session run, its files written. Each order that asks
 * for a report ends with exactly one line in the system's log that says how.
 */
class RunJob(
    private val context: Context,
    val order: Order,
    val listener: RunJobListener,
    private val corrections: () -> Corrections?,
) {
    private val main = Handler(Looper.getMainLooper())
    private val worker = Worker("run") { fail("run: $it") }
    private val markers = if (order.writesReport) Markers(order.plan.run) else null
    private val ended = AtomicBoolean()
    private var loaded: LoadedBundle? = null
    private var recording: Recording? = null
    private var session: CameraSession? = null
    private var goldenFailures: List<String> = emptyList()
    private var started = Instant.EPOCH
    private var refreshHz = 0.0

    fun load() = work {
        try {
            recording = order.plan.recording?.let(Recording::open)
            val slot = order.bundle?.let(::install)
            val found = LoadedBundle.load { slot?.let(Bundle::open) ?: BuiltInBundle.open(context.assets) }
            loaded = found
            // What is in a slot passed when it was put there; the system may have changed since.
            goldenFailures = found.goldenFailures()
            markers?.started()
            tell { listener.loaded(found) }
        } catch (error: BundleException) {
            refuse(error.message.orEmpty())
        } catch (error: RecordingException) {
            refuse(error.message.orEmpty())
        } catch (error: EngineException) {
            refuse(error.message.orEmpty())
        } catch (error: IOException) {
            refuse(error.message.orEmpty())
        }
    }

    /** Run the session on live frames for as long as its setup says. */
    fun run(setup: SessionSetup) = work {
        started = Instant.now()
        refreshHz = NS_PER_SECOND / setup.refreshPeriodNs
        val live = CameraSession(context, setup, { view -> tell { listener.viewed(view) } }, ::fail)
        session = live
        live.start()
        main.postDelayed({ finish(live::finish) }, MS_PER_SECOND * setup.seconds)
    }

    /** Run the recorded frames of the plan. */
    fun replay(refreshHz: Double) = work {
        started = Instant.now()
        this.refreshHz = refreshHz
        val session = ReplaySession(context, checkNotNull(loaded), checkNotNull(recording), refreshHz) { fail("$it") }
        val data = session.run()
        finish { data }
    }

    private fun finish(measured: () -> SessionData) = end {
        val data = measured()
        val report = if (order.writesReport) write(data) else null
        report?.let { markers?.done(it) }
        tell { listener.done(report) }
    }

    private fun write(data: SessionData) = ReportWriter(context).write(
        order.plan,
        started,
        checkNotNull(loaded),
        goldenFailures,
        data,
        refreshHz,
        corrections(),
    )

    /** Nobody wants it any more, or it cannot go on: nothing is written. */
    fun fail(reason: String) = end {
        markers?.failed(reason)
        tell { listener.failed(reason) }
        session?.finish()
    }

    private fun refuse(reason: String) = end {
        markers?.refused(reason)
        tell { listener.refused(reason) }
    }

    /** The first way to end is the one that counts; what the run held is let go of. */
    private fun end(how: () -> Unit) {
        if (!ended.compareAndSet(false, true)) return
        worker.handler.post {
            try {
                how()
            } catch (error: IOException) {
                markers?.failed("the files could not be written: ${error.message}")
                tell { listener.failed(error.message.orEmpty()) }
            } finally {
                loaded?.close()
                worker.close()
            }
        }
    }

    private fun work(action: () -> Unit) {
        worker.handler.post { if (!ended.get()) action() }
    }

    private fun tell(what: () -> Unit) {
        main.post(what)
    }

    /** The slot that now holds [bundle]. Throws BundleException if it is refused, also by its own golden vectors. */
    private fun install(bundle: File): File =
        when (val change = Slots(File(context.filesDir, "slots")).install(bundle, ::selfTest)) {
            is SlotChange.Installed -> change.file
            is SlotChange.Unchanged -> change.file
            is SlotChange.Rejected -> throw BundleException("$bundle: ${change.reasons.joinToString("; ")}")
        }

    private fun selfTest(bundle: Bundle): SelfTest {
        val failures = LoadedBundle.load { bundle }.use { it.goldenFailures() }
        return if (failures.isEmpty()) SelfTest.Passed else SelfTest.Failed(failures)
    }

    private companion object {
        const val MS_PER_SECOND = 1000L
        const val NS_PER_SECOND = 1e9
    }
}
