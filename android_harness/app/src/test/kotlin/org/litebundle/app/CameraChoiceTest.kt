package org.litebundle.app

import android.hardware.camera2.CameraManager
import android.hardware.camera2.CameraMetadata
import android.util.Range
import android.util.Size
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.camera.CameraChoice
import org.robolectric.annotation.Config

@RunWith(AppTestRunner::class)
@Config(sdk = [26, 35])
class CameraChoiceTest {
    private fun choose() = CameraChoice.of(Phone.app.service(CameraManager::class.java))

    @Test
    fun `no camera, no choice`() = assertNull(choose())

    @Test
    fun `the camera at the back is taken, with the largest picture of its shape and the highest fixed rate`() {
        Phone.addCamera("0", CameraMetadata.LENS_FACING_FRONT)
        Phone.addCamera(
            "1",
            sizes = listOf(Size(4000, 3000), Size(640, 480), Size(1280, 720), Size(1280, 960)),
            rates = listOf(Range(15, 60), Range(24, 24), Range(60, 60), Range(30, 30), Range(120, 120)),
        )
        val choice = checkNotNull(choose())
        assertEquals("1", choice.cameraId)
        assertEquals(Size(1280, 960), choice.size)
        assertEquals(Range(60, 60), choice.framesPerSecond)
    }

    @Test
    fun `without a fixed rate the range whose ends are highest is taken`() {
        Phone.addCamera(rates = listOf(Range(7, 30), Range(15, 30)))
        val choice = checkNotNull(choose())
        assertEquals(Range(15, 30), choice.framesPerSecond)
    }

    @Test
    fun `a picture is turned by what the sensor and the display are turned`() {
        Phone.addCamera()
        val back = checkNotNull(choose()).copy(sensorOrientation = 90)
        assertEquals(listOf(90, 0, 270, 180), listOf(0, 90, 180, 270).map(back::turnFor))
        val front = back.copy(sensorOrientation = 270, facesFront = true)
        assertEquals(listOf(270, 0, 90, 180), listOf(0, 90, 180, 270).map(front::turnFor))
    }
}
