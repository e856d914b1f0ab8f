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
import org.litebundle.app.run.LiveView
import org.litebundle.app.run.LoadedBundle
import org.litebundle.app.run.Markers
import org.litebundle.app.run.Order
import org.litebundle.app.run.PlanException
import org.litebundle.app.run.RunJob
import org.litebundle.app.run.RunJobListener
import org.litebundle.app.run.SessionSetup
import org.litebundle.app.run.Storage
import org.litebundle.core.verdict.RunKind
import java.io.File
import java.util.Locale

/**
 * The one screen: what runs, or why nothing does. Opened from the launcher it shows live the bundle that was installed
 * last, or the built-in one; started with a plan it does that run. A run is in the foreground from its first frame to its
 * last: leaving the app ends it.
 */
class RunActivity : Activity() {
    private lateinit var screen: RunScreen
    private lateinit var corrector: Corrector
    private var job: RunJob? = null
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

    private fun interrupt(running: RunJob) {
        running.fail("interrupted: the app left the foreground")
        end(running.order)
        screen.showMessage(getString(R.string.failed_title), getString(R.string.interrupted), retry())
    }

    private fun end(order: Order) {
        job = null
        newest = null
        if (order.writesReport) over = intent
        requestedOrientation = ActivityInfo.SCREEN_ORIENTATION_UNSPECIFIED
    }

    private fun begin() {
        if (job != null || over === intent) return
        val order = try {
            Order.of(intent)
        } catch (error: PlanException) {
            return refuse(null, error.message.orEmpty())
        }
        if (order.writesReport && Storage.reports(this) == null) {
            return refuse(order, "storage: there is no place for reports, as the shared storage is not mounted")
        }
        val storage = Storage.of(filesDir, order.bundle)
        if (!storage.suffices) {
            told(order, "storage: ${storage.neededBytes} bytes are needed, ${storage.freeBytes} are free")
            val text = getString(R.string.storage_text, storage.neededBytes / MEGA, storage.freeBytes / MEGA)
            return screen.showMessage(getString(R.string.storage_title), text, retry())
        }
        val choice = if (order.plan.kind == RunKind.REPLAY) null else camera(order) ?: return
        screen.showMessage(getString(R.string.app_name), getString(R.string.starting))
        job = RunJob(this, order, Listener(order, choice), corrector::summary).apply { load() }
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
        if (order?.writesReport == false) return
        Markers(order?.plan?.run ?: Markers.UNNAMED).refused(reason)
        over = intent
    }

    private fun retry() = Choice(R.string.retry) {
        over = null
        begin()
    }

    private fun setup(order: Order, choice: CameraChoice, loaded: LoadedBundle, preview: Surface): SessionSetup {
        val display = service(DisplayManager::class.java).getDisplay(Display.DEFAULT_DISPLAY)
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

    private inner class Listener(private val order: Order, private val choice: CameraChoice?) : RunJobListener {
        override fun loaded(loaded: LoadedBundle) {
            val running = current() ?: return
            val display = service(DisplayManager::class.java).getDisplay(Display.DEFAULT_DISPLAY)
            if (choice == null) return running.replay(display.refreshRate.toDouble())
            // A turn of the screen in mid-run would change what is measured.
            requestedOrientation = ActivityInfo.SCREEN_ORIENTATION_LOCKED
            screen.showLive()
            showLine(null)
            screen.show(choice, choice.turnFor(QUARTER * display.rotation)) { preview ->
                if (job === running) running.run(setup(order, choice, loaded, preview))
            }
        }

        override fun bundleReplaced(reason: String) {
            if (current() == null) return
            Toast.makeText(this@RunActivity, getString(R.string.bundle_replaced, reason), Toast.LENGTH_LONG).show()
        }

        override fun viewed(view: LiveView) {
            if (current() == null) return
            newest = view
            corrector.shown(view.drawing)
            showLine(view)
        }

        override fun done(report: File?) {
            if (current() == null) return
            end(order)
            if (report == null) return begin()
            screen.showMessage(getString(R.string.done_title), report.path)
        }

        override fun refused(reason: String) {
            if (current() == null) return
            end(order)
            screen.showMessage(getString(R.string.refused_title), reason, retry())
        }

        override fun failed(reason: String) {
            if (current() == null) return
            end(order)
            screen.showMessage(getString(R.string.failed_title), reason, retry())
        }

        /** The job that this listens to; null if the screen is another's by now. */
        private fun current() = job?.takeIf { it.listener === this }
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
