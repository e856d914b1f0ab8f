package org.litebundle.app.run

import android.content.Context
import org.litebundle.core.bundle.BundleException
import org.litebundle.core.engine.EngineException
import org.litebundle.core.recording.Recording
import org.litebundle.core.recording.RecordingException
import org.litebundle.core.report.Corrections
import java.io.File
import java.io.IOException
import java.time.Instant

/** Hears how a [RunJob] gets on, on the main thread. */
interface RunJobListener : JobListener {
    /** The bundle is loaded; give the job a session to run, or let it replay. */
    fun loaded(loaded: LoadedBundle)

    /** The bundle that was in use does not work any more, for [reason]; another took its place. */
    fun bundleReplaced(reason: String)

    fun viewed(view: LiveView)
}

/** One run: its bundle is put into a slot, tested and loaded, its session run, its files written. */
class RunJob(
    private val context: Context,
    private val run: RunOrder,
    private val hears: RunJobListener,
    private val corrections: () -> Corrections?,
) : Job(run, hears) {
    private var loaded: LoadedBundle? = null
    private var recording: Recording? = null
    private var session: CameraSession? = null
    private var goldenFailures: List<String> = emptyList()
    private var started = Instant.EPOCH
    private var refreshHz = 0.0

    fun load() = work {
        try {
            recording = run.plan.recording?.let(Recording::open)
            val bundles = Bundles(File(context.filesDir, "slots")) { BuiltInBundle.open(context.assets) }
            val bundle = bundles.of(run)
            goldenFailures = bundle.goldenFailures
            bundle.replaced?.let { reason -> tell { hears.bundleReplaced(reason) } }
            val found = LoadedBundle.load(open = bundle.open)
            loaded = found
            if (isOver) return@work
            started()
            tell { hears.loaded(found) }
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
        val live = CameraSession(context, setup, { view -> tell { hears.viewed(view) } }, ::fail)
        session = live
        live.start()
        finishAfter(setup.seconds) { write(live.finish()) }
    }

    /** Run the recorded frames of the plan. */
    fun replay(refreshHz: Double) = work {
        started = Instant.now()
        this.refreshHz = refreshHz
        val session = ReplaySession(context, checkNotNull(loaded), checkNotNull(recording), refreshHz) { fail("$it") }
        val data = session.run()
        finish { write(data) }
    }

    private fun write(data: SessionData): File? {
        if (!run.writesReport) return null
        val bundle = checkNotNull(loaded)
        return ReportWriter(context).write(run.plan, started, bundle, goldenFailures, data, refreshHz, corrections())
    }

    override fun abandon() {
        session?.finish()
    }

    override fun close() {
        loaded?.close()
    }

    private companion object {
        const val NS_PER_SECOND = 1e9
    }
}
