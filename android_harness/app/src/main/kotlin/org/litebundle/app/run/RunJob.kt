package org.litebundle.app.run

import android.content.Context
import android.os.Handler
import android.os.Looper
import org.litebundle.core.bundle.BundleException
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

    /** The bundle that was in use does not work any more, for [reason]; another took its place. */
    fun bundleReplaced(reason: String)

    fun viewed(view: LiveView)

    /** [report] is null where none was asked for. */
    fun done(report: File?)

    fun refused(reason: String)

    fun failed(reason: String)
}

/**
 * One order: its bundle is put into a slot, tested and loaded, its session run, its files written. Each order that asks
 * for a report ends with exactly one line in the system's log that says how, whatever is thrown.
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
            val bundles = Bundles(File(context.filesDir, "slots")) { BuiltInBundle.open(context.assets) }
            val bundle = bundles.of(order)
            goldenFailures = bundle.goldenFailures
            bundle.replaced?.let { reason -> tell { listener.bundleReplaced(reason) } }
            val found = LoadedBundle.load(open = bundle.open)
            loaded = found
            if (ended.get()) return@work
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

    private fun finish(measured: () -> SessionData) {
        if (!isFirstEnd()) return
        worker.handler.post {
            try {
                val data = measured()
                done(if (order.writesReport) write(data) else null)
            } catch (error: IOException) {
                failed("the files could not be written: ${error.message}")
            } catch (error: Throwable) {
                failed("run: $error")
            } finally {
                release()
            }
        }
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

    /** Nobody wants it any more, or it cannot go on: nothing is written. What it waits for, it waits for no longer. */
    fun fail(reason: String) {
        if (!isFirstEnd()) return
        failed(reason)
        worker.interrupt()
        worker.handler.post {
            Thread.interrupted()
            try {
                session?.finish()
            } finally {
                release()
            }
        }
    }

    private fun refuse(reason: String) {
        if (!isFirstEnd()) return
        markers?.refused(reason)
        tell { listener.refused(reason) }
        release()
    }

    private fun done(report: File?) {
        report?.let { markers?.done(it) }
        tell { listener.done(report) }
    }

    private fun failed(reason: String) {
        markers?.failed(reason)
        tell { listener.failed(reason) }
    }

    /** The first way to end is the one that counts. */
    private fun isFirstEnd() = ended.compareAndSet(false, true)

    private fun release() {
        worker.use { loaded?.close() }
    }

    private fun work(action: () -> Unit) {
        worker.handler.post {
            try {
                if (!ended.get()) action()
            } catch (error: Throwable) {
                fail("run: $error")
            }
        }
    }

    private fun tell(what: () -> Unit) {
        main.post(what)
    }

    private companion object {
        const val MS_PER_SECOND = 1000L
        const val NS_PER_SECOND = 1e9
    }
}
