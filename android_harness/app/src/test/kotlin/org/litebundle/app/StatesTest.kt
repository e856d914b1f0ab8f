package org.litebundle.app

import android.Manifest
import android.content.Intent
import android.content.res.Configuration
import android.os.Environment
import android.provider.Settings
import android.view.WindowManager
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.run.Order
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowEnvironment
import org.robolectric.shadows.ShadowStatFs
import java.io.File

@RunWith(AppTestRunner::class)
class StatesTest {
    private val folder = File(Phone.app.cacheDir, "pushed")

    @Before
    fun roomOnTheDisk() {
        folder.mkdirs()
        ShadowStatFs.registerStats(Phone.app.filesDir, 1 shl 20, 1 shl 19, 1 shl 19)
    }

    private fun open(intent: Intent = Intent()): ActivityController<RunActivity> =
        Robolectric.buildActivity(RunActivity::class.java, intent).setup()

    private fun words(controller: ActivityController<RunActivity>) = controller.get().window.decorView.words()

    private fun ordered(plan: String, bundle: File? = Phone.example): Intent {
        val file = File(folder, "plan.json").apply { writeText(plan) }
        val intent = Intent().putExtra(Order.PLAN, file.path)
        return if (bundle == null) intent else intent.putExtra(Order.BUNDLE, bundle.path)
    }

    private fun plan(kind: String = "live") =
        """{"format_version":"1.0","run":"r1","kind":"$kind","seconds":60,"recording":null}"""

    @Test
    fun `without the camera's permission it says so and offers to ask`() {
        Phone.addCamera()
        val activity = open()
        assertTrue("The camera is not allowed" in words(activity))
        activity.get().window.decorView.button("Allow the camera").performClick()
        val asked = shadowOf(activity.get()).lastRequestedPermission.requestedPermissions.toList()
        assertEquals(listOf(Manifest.permission.CAMERA), asked)
    }

    @Test
    fun `once refused for good, the way leads to the settings`() {
        Phone.addCamera()
        val activity = open()
        activity.get().window.decorView.button("Allow the camera").performClick()
        activity.pause().resume()
        activity.get().window.decorView.button("Open settings").performClick()
        val started = shadowOf(activity.get()).nextStartedActivityForResult.intent
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, started.action)
        assertEquals("package:org.litebundle.sample", started.dataString)
    }

    @Test
    @Config(sdk = [33], qualifiers = "ko")
    fun `it speaks Korean`() {
        assertTrue("카메라 권한이 없습니다" in words(open()))
    }

    @Test
    fun `a device without a camera is told so`() {
        Phone.allowCamera()
        assertTrue("There is no camera" in words(open()))
    }

    @Test
    @Config(sdk = [33])
    fun `an ordered run without permission or camera is refused in the log`() {
        open(ordered(plan()))
        assertTrue(Phone.markers().single().startsWith("RUN r1 REFUSED the camera is not allowed"))
        Phone.allowCamera()
        open(ordered(plan()))
        assertEquals("RUN r1 REFUSED the device has no camera", Phone.markers().last())
    }

    @Test
    @Config(sdk = [33])
    fun `coming back to a refused run adds no line, trying again by hand does`() {
        val activity = open(ordered(plan()))
        activity.pause().resume()
        assertEquals(1, Phone.markers().size)
        activity.get().window.decorView.button("Allow the camera").performClick()
        Phone.allowCamera()
        activity.pause().resume()
        assertEquals("RUN r1 REFUSED the device has no camera", Phone.markers().last())
        assertEquals(2, Phone.markers().size)
    }

    @Test
    @Config(sdk = [33])
    fun `opened by hand it says nothing to the log`() {
        open().pause().resume()
        assertEquals(emptyList<String>(), Phone.markers())
    }

    @Test
    @Config(sdk = [33])
    fun `opened from the list of recent apps, an old order is not done again`() {
        open(ordered(plan()).addFlags(Intent.FLAG_ACTIVITY_LAUNCHED_FROM_HISTORY))
        assertEquals(emptyList<String>(), Phone.markers())
    }

    @Test
    @Config(sdk = [33])
    fun `without a place for reports nothing is measured`() {
        Phone.allowCamera()
        Phone.addCamera()
        ShadowEnvironment.setExternalStorageState(Environment.MEDIA_UNKNOWN)
        open(ordered(plan()))
        assertTrue(
            "${Phone.markers()}",
            Phone.markers().single().startsWith("RUN r1 REFUSED storage: there is no place"),
        )
    }

    @Test
    fun `nothing starts when storage is nearly full`() {
        ShadowStatFs.registerStats(Phone.app.filesDir, 1000, 10, 10)
        Phone.allowCamera()
        Phone.addCamera()
        val activity = open(ordered(plan()))
        assertTrue("Storage is nearly full" in words(activity))
        assertTrue(Phone.markers().single().startsWith("RUN r1 REFUSED storage: "))
    }

    @Test
    @Config(sdk = [33])
    fun `a plan that breaks a rule is refused with the rule`() {
        val broken = mapOf(
            "nothing" to "no JSON",
            """{"format_version":"2.0"}""" to "format_version",
            plan("sideways") to "kind 'sideways'",
            plan().replace("r1", "../r1") to "run is not",
            plan().replace("60", "0") to "seconds",
            plan("replay") to "recording",
        )
        for ((plan, rule) in broken) {
            val activity = open(ordered(plan))
            assertTrue("The bundle was refused" in words(activity))
            val marker = Phone.markers().last()
            assertTrue(marker, marker.startsWith("RUN - REFUSED") && rule in marker)
        }
    }

    @Test
    @Config(sdk = [33])
    fun `a recording runs no bundle, so one is refused`() {
        open(ordered(plan("record")))
        val marker = Phone.markers().single()
        assertTrue(marker, marker.startsWith("RUN - REFUSED") && "leave --es bundle out" in marker)
    }

    @Test
    @Config(sdk = [33])
    fun `a recording needs room for all its pictures`() {
        Phone.allowCamera()
        Phone.addCamera()
        val shared = checkNotNull(Phone.app.getExternalFilesDir(null))
        val cutOff = File(shared, "recordings/r0/frames").apply { mkdirs() }
        // 60 s of 640 x 480 pixels, at 30 a second and at least 1.5 bytes each, are 830 MB.
        ShadowStatFs.registerStats(shared, 1 shl 20, 200_000, 200_000)
        val activity = open(ordered(plan("record"), bundle = null))
        assertTrue("Storage is nearly full" in words(activity))
        assertTrue(Phone.markers().single().startsWith("RUN r1 REFUSED storage: "))
        assertFalse("what was cut off only takes up room", cutOff.exists())
    }

    @Test
    @Config(sdk = [33])
    fun `a recording shows that it records, and leaving the app ends it`() {
        Phone.allowCamera()
        Phone.addCamera()
        val shared = checkNotNull(Phone.app.getExternalFilesDir(null))
        ShadowStatFs.registerStats(shared, 1 shl 30, 1 shl 29, 1 shl 29)
        val activity = open(ordered(plan("record"), bundle = null))
        assertTrue("recording · 60 s" in words(activity))
        activity.pause()
        assertEquals("RUN r1 FAILED interrupted: the app left the foreground", Phone.markers().last())
    }

    @Test
    @Config(sdk = [33])
    fun `a damaged bundle is refused on the screen and in the log`() {
        Phone.allowCamera()
        Phone.addCamera()
        val damaged = File(folder, "damaged.litebundle").apply { writeBytes(ByteArray(100)) }
        val activity = open(ordered(plan(), damaged))
        Phone.until { "The bundle was refused" in words(activity) }
        assertTrue(Phone.markers().toString(), Phone.markers().single().startsWith("RUN r1 REFUSED $damaged"))
        assertTrue(words(activity).any { "damaged.litebundle" in it })
    }

    /** Before the camera gives a frame; [LiveRunTest] leaves in the middle of them. */
    @Test
    @Config(sdk = [26])
    fun `leaving the app ends a run, and the log says that it was interrupted`() {
        Phone.allowCamera()
        Phone.addCamera()
        val activity = open(ordered(plan()))
        Phone.until { "RUN r1 STARTED" in Phone.markers() }
        activity.pause()
        Phone.until { Phone.markers().last().startsWith("RUN r1 FAILED interrupted") }
        assertEquals(2, Phone.markers().size)
    }

    @Test
    fun `the screen stays on`() {
        val flags = open().get().window.attributes.flags
        assertNotEquals(0, flags and WindowManager.LayoutParams.FLAG_KEEP_SCREEN_ON)
    }

    @Test
    fun `a turned screen keeps the activity and what it says`() {
        val activity = open()
        val before = activity.get()
        val turned = Configuration(before.resources.configuration).apply {
            orientation =
                Configuration.ORIENTATION_LANDSCAPE
        }
        activity.configurationChange(turned)
        assertEquals(before, activity.get())
        assertTrue("The camera is not allowed" in words(activity))
    }
}
