package org.litebundle.app.run

import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.litebundle.app.AppTestRunner
import org.robolectric.annotation.Config
import java.util.Collections
import java.util.concurrent.CountDownLatch

@RunWith(AppTestRunner::class)
@Config(sdk = [33])
class WorkerTest {
    private val failures = Collections.synchronizedList(ArrayList<Throwable>())
    private val worker = Worker("worker", failures::add)

    @After
    fun end() = worker.close()

    /** Robolectric ends a looper at an exception, though not at an error; a device makes no such difference. */
    private class Fault : Error("fault")

    @Test
    fun `what is thrown is told, and what was posted next is done`() {
        val done = CountDownLatch(1)
        val fault = Fault()
        worker.handler.post { throw fault }
        worker.handler.post { done.countDown() }
        done.await()
        assertSame(fault, failures.single())
    }

    @Test
    fun `who waits gets what was thrown`() {
        val fault = Fault()
        assertSame(fault, assertThrows(Fault::class.java) { worker.await { throw fault } })
        assertEquals(emptyList<Throwable>(), failures)
    }

    @Test
    fun `nobody waits for a thread that has ended`() {
        worker.close()
        val error = assertThrows(IllegalStateException::class.java) { worker.await { } }
        assertTrue("worker" in error.message.orEmpty())
    }
}
