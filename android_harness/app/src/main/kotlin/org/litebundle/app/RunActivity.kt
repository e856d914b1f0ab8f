package org.litebundle.app

import android.Manifest
import android.annotation.SuppressLint
import android.app.Activity
import android.content.Intent
import android.content.pm.ActivityInfo
import android.content.pm.PackageManager
import android.hardware.camera2.CameraAccessException
import android.hardware.camera2.CameraManager
import android.hardware.display.DisplayManager
import android.net.Uri
import android.os.Build
import android.os.Bundle
import android.provider.Settings
import android.view.Display
import android.view.MotionEvent
import android.view.Surface
import android.view.WindowManager
import android.widget.Toast
import org.litebundle.app.camera.CameraChoice
import org.litebundle.app.display.Overlays
import org.litebundle.app.run.Job
import org.litebundle.app.run.JobListener
import org.litebundle.app.run.LiveView
import org.litebundle.app.run.LoadedBundle
import org.litebundle.app.run.Markers
import org.litebundle.app.run.Order
import org.litebundle.app.run.PlanException
import org.litebundle.app.run.RecordJob
import org.litebundle.app.run.RecordJobListener
import org.litebundle.app.run.RecordOrder
import org.litebundle.app.run.RunJob
import org.litebundle.app.run.RunJobListener
import org.litebundle.app.run.RunOrder
import org.litebundle.app.run.SessionSetup
import org.litebundle.app.run.Storage
import org.litebundle.core.verdict.RunKind
import java.io.File
import java.util.Locale

/**
 * The one screen: what runs, or why nothing does. Opened from the launcher it shows live the bundle that was installed
 * last, or the built-in one; started with a plan it does that run or records. Both are in the foreground from their first
 * frame to their last: leaving the app ends them.
 */
class RunActivity : Activity() {
    private lateinit var screen: RunScreen
    private lateinit var corrector: Corrector
    private var job: Job? = null
    private var askedForCamera = false
    private var newest: LiveView? = null

    /** What was ordered by this is over, and is not done again for coming back to the app. */
    private var over: Intent? = null

    override fun onCreate(state: Bundle?) {
        super.onCreate(state)
        askedForCamera = state?.getBoolean(ASKED) ?: false
        val isOld = intent.flags and Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY != 0
        if (isOld || state?.getBoolean(OVER) == true) intent = Intent()
        window.addFlags(WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
        screen = RunScreen(this)
        setContentView(screen)
        corrector = Corrector(this, ::showConsent)
        correctByTap()
        showConsent()
    }

    override fun onSaveInstanceState(state: Bundle) {
        super.onSaveInstanceState(state)
        state.putBoolean(ASKED, askedForCamera)
        state.putBoolean(OVER, over === intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
    }

    override fun onResume() {
        super.onResume()
        begin()
    }

    override fun onPause() {
        job?.let { interrupt(it) }
        super.onPause()
    }

    override fun onDestroy() {
        corrector.close()
        super.onDestroy()
    }

    private fun interrupt(running: Job) {
        running.fail("interrupted: the app left the foreground")
        end(running.order)
        screen.showMessage(getString(R.string.failed_title), getString(R.string.interrupted), retry())
    }

    private fun end(order: Order) {
        job = null
        newest = null
        if (order.isFollowed) over = intent
        requestedOrientation = ActivityInfo.SCREEN_ORIENTATION_UNSPECIFIED
    }

    private fun begin() {
        if (job != null || over === intent) return
        val order = try {
            Order.of(intent)
        } catch (error: PlanException) {
            return refuse(null, error.message.orEmpty())
        }
        val shared = getExternalFilesDir(null)
        if (order.isFollowed && shared == null) {
            return refuse(order, "storage: there is no place for reports, as the shared storage is not mounted")
        }
        when (order) {
            is RunOrder -> begin(order)
            is RecordOrder -> begin(order, checkNotNull(shared))
        }
    }

    private fun begin(order: RunOrder) {
        if (!hasRoom(order, Storage.of(filesDir, order.bundle))) return
        val choice = if (order.plan.kind == RunKind.REPLAY) null else camera(order) ?: return
        screen.showMessage(getString(R.string.app_name), getString(R.string.starting))
        job = RunJob(this, order, RunListener(order, choice), corrector::summary).apply { load() }
    }

    private fun begin(order: RecordOrder, shared: File) {
        val choice = camera(order) ?: return
        RecordJob.removeCutOff(this)
        if (!hasRoom(order, Storage.of(shared, choice, order.plan.seconds))) return
        val running = RecordJob(this, order, RecordListener(order))
        job = running
        screen.setLine(getString(R.string.recording, order.plan.seconds), "")
        showCamera(running, choice) { preview -> running.run(choice, preview) }
    }

    /** The screen, and [ready] once its surfaces are there, for as long as [running] has it. */
    private fun showCamera(running: Job, choice: CameraChoice, ready: (Surface) -> Unit) {
        // A turn of the screen in mid-run would change what is measured.
        requestedOrientation = ActivityInfo.SCREEN_ORIENTATION_LOCKED
        screen.showLive()
        screen.show(choice, choice.turnFor(QUARTER * display().rotation)) { preview ->
            if (job === running) ready(preview)
        }
    }

    private fun display() = service(DisplayManager::class.java).getDisplay(Display.DEFAULT_DISPLAY)

    /** If false, the reason is on the screen. */
    private fun hasRoom(order: Order, storage: Storage): Boolean {
        if (storage.suffices) return true
        told(order, "storage: ${storage.neededBytes} bytes are needed, ${storage.freeBytes} are free")
        val text = getString(R.string.storage_text, storage.neededBytes / MEGA, storage.freeBytes / MEGA)
        screen.showMessage(getString(R.string.storage_title), text, retry())
        return false
    }

    /** Null, and the reason on the screen, without a camera that may be used. */
    private fun camera(order: Order): CameraChoice? {
        if (checkSelfPermission(Manifest.permission.CAMERA) != PackageManager.PERMISSION_GRANTED) {
            told(order, "the camera is not allowed: adb shell pm grant $packageName ${Manifest.permission.CAMERA}")
            showPermission()
            return null
        }
        val choice = try {
            CameraChoice.of(service(CameraManager::class.java))
        } catch (error: CameraAccessException) {
            refuse(order, "the camera cannot be used: ${error.message}")
            return null
        }
        if (choice == null) {
            told(order, "the device has no camera")
            screen.showMessage(getString(R.string.no_camera_title), getString(R.string.no_camera_text), retry())
        }
        return choice
    }

    private fun showPermission() {
        val allow = Choice(R.string.permission_allow) {
            askedForCamera = true
            over = null
            requestPermissions(arrayOf(Manifest.permission.CAMERA), 0)
        }
        val settings = Choice(R.string.permission_settings) {
            over = null
            startActivity(
                Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, Uri.fromParts("package", packageName, null)),
            )
        }
        // Asked in vain, the system shows no dialog any more.
        val silent = askedForCamera && !shouldShowRequestPermissionRationale(Manifest.permission.CAMERA)
        val title = getString(R.string.permission_title)
        screen.showMessage(title, getString(R.string.permission_text), if (silent) settings else allow)
    }

    /** [order] null: its plan cannot be read. */
    private fun refuse(order: Order?, reason: String) {
        told(order, reason)
        screen.showMessage(getString(R.string.refused_title), reason, retry())
    }

    /** Whoever ordered a run reads once why it does not begin; after that it takes a hand on the phone to try again. */
    private fun told(order: Order?, reason: String) {
        if (order?.isFollowed == false) return
        Markers(order?.plan?.run ?: Markers.UNNAMED).refused(reason)
        over = intent
    }

    private fun retry() = Choice(R.string.retry) {
        over = null
        begin()
    }

    private fun setup(order: RunOrder, choice: CameraChoice, loaded: LoadedBundle, preview: Surface): SessionSetup {
        val display = display()
        val turn = choice.turnFor(QUARTER * display.rotation)
        return SessionSetup(
            run = order.plan.run,
            loaded = loaded,
            choice = choice,
            preview = preview,
            optical = order.plan.kind == RunKind.OPTICAL,
            seconds = order.plan.seconds,
            refreshPeriodNs = (NS_PER_SECOND / display.refreshRate).toLong(),
            turn = { turn },
            overlay = { tracker, worker -> Overlays.of(screen.results, tracker, worker.handler) },
        )
    }

    private abstract inner class Listener(private val order: Order) : JobListener {
        protected open val refusedTitle = R.string.refused_title

        protected open fun doneText(file: File): String = file.path

        override fun done(file: File?) {
            if (!isCurrent()) return
            end(order)
            if (file == null) return begin()
            screen.showMessage(getString(R.string.done_title), doneText(file))
        }

        override fun refused(reason: String) {
            if (!isCurrent()) return
            end(order)
            screen.showMessage(getString(refusedTitle), reason, retry())
        }

        override fun failed(reason: String) {
            if (!isCurrent()) return
            end(order)
            screen.showMessage(getString(R.string.failed_title), reason, retry())
        }

        /** False: the screen is another's by now. */
        protected fun isCurrent() = job?.listener === this
    }

    private inner class RecordListener(order: Order) :
        Listener(order),
        RecordJobListener {
        override val refusedTitle = R.string.recording_refused_title
        private var counts = ""

        override fun recorded(frames: Int, lost: Int) {
            counts = getString(R.string.recorded, frames, lost)
        }

        override fun doneText(file: File) = "$counts\n${file.path}"
    }

    private inner class RunListener(private val order: RunOrder, private val choice: CameraChoice?) :
        Listener(order),
        RunJobListener {
        override fun loaded(loaded: LoadedBundle) {
            val running = current() ?: return
            if (choice == null) return running.replay(display().refreshRate.toDouble())
            showLine(null)
            showCamera(running, choice) { preview -> running.run(setup(order, choice, loaded, preview)) }
        }

        override fun bundleReplaced(reason: String) {
            if (!isCurrent()) return
            Toast.makeText(this@RunActivity, getString(R.string.bundle_replaced, reason), Toast.LENGTH_LONG).show()
        }

        override fun viewed(view: LiveView) {
            if (!isCurrent()) return
            newest = view
            corrector.shown(view.drawing)
            showLine(view)
        }

        /** The job that this listens to; null if the screen is another's by now. */
        private fun current() = if (isCurrent()) job as? RunJob else null
    }

    private fun showLine(view: LiveView?) {
        val latencyNs = view?.latencyNs
        val line = if (latencyNs == null) {
            getString(R.string.live_latency_none)
        } else {
            getString(R.string.live_latency, latencyNs / NS_PER_MS, view.grade?.name.orEmpty())
        }
        screen.setLine(line, getString(R.string.hint_tap))
    }

    private fun showConsent() = screen.setWithdraw(if (corrector.consents) corrector::withdraw else null)

    @SuppressLint("ClickableViewAccessibility") // What a result says is drawn, and its place is what is tapped.
    private fun correctByTap() = screen.results.setOnTouchListener { view, event ->
        val isUp = event.actionMasked == MotionEvent.ACTION_UP
        if (isUp) newest?.drawing?.itemAt(event.x, event.y, view.width, view.height)?.let(corrector::tapped)
        true
    }

    private companion object {
        const val ASKED = "asked"
        const val OVER = "over"
        const val QUARTER = 90
        const val MEGA = 1 shl 20
        const val NS_PER_MS = 1e6
        const val NS_PER_SECOND = 1e9
    }
}
