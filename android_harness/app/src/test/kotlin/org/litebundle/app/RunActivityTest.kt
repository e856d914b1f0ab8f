package org.litebundle.app

import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class RunActivityTest {
    @Test
    fun `the app is named`() {
        val activity = Robolectric.buildActivity(RunActivity::class.java).setup().get()
        assertEquals("litebundle", activity.getString(R.string.app_name))
    }
}
