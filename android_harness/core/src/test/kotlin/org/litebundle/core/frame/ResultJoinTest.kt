package org.litebundle.core.frame

import io.kotest.property.Arb
import io.kotest.property.arbitrary.int
import io.kotest.property.arbitrary.long
import io.kotest.property.checkAll
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Test
import org.litebundle.core.clock.MonotonicNs
import org.litebundle.core.ledger.DropCause
import org.litebundle.core.ledger.Ledger
import org.litebundle.core.ledger.Outcome
import org.litebundle.core.ledger.Violation
import java.util.Random

class ResultJoinTest {
    private class Heard : JoinedFrames<String> {
        val joined = ArrayList<Triple<Long, String, Long>>()
        val discarded = ArrayList<String>()

        override fun joined(frame: Long, image: String, exposure: Exposure) {
            joined.add(Triple(frame, image, exposure.timestampNs))
        }

        override fun discarded(image: String) {
            discarded.add(image)
        }
    }

    private val ledger = Ledger(emptyList(), 100) { MonotonicNs(it) }
    private val heard = Heard()
    private val join = ResultJoin(ledger, heard, window = 2)

    private fun exposure(timestampNs: Long) = Exposure(timestampNs, 10, 0, 33)

    private fun result(timestampNs: Long) = join.result(exposure(timestampNs), MonotonicNs(timestampNs + 50))

    private fun image(timestampNs: Long) = join.image(timestampNs, "image $timestampNs", MonotonicNs(timestampNs + 60))

    private fun outcomes() = ledger.records().map { it.outcome }

    @Test
    fun `image and result of the same timestamp are one frame, whichever comes first`() {
        join.started(1_000)
        image(1_000)
        result(1_000)
        result(2_000)
        image(2_000)
        assertEquals(listOf(Triple(0L, "image 1000", 1_000L), Triple(1L, "image 2000", 2_000L)), heard.joined)
        assertEquals(listOf(1_060L, 2_060L), ledger.records().map { it.imageAvailable?.ns })
        assertEquals(listOf(1_050L, 2_050L), ledger.records().map { it.captureResult?.ns })
    }

    @Test
    fun `timestamps that differ by one ns are two frames`() {
        image(1_000)
        result(1_001)
        assertEquals(emptyList<Any>(), heard.joined)
        assertEquals(2, ledger.records().size)
    }

    @Test
    fun `what waits longer than the window is dropped, by what is missing`() {
        image(1_000)
        result(2_000)
        join.started(3_000)
        join.started(4_000)
        join.started(5_000)
        val queue = Outcome.Dropped(DropCause.QUEUE)
        val camera = Outcome.Dropped(DropCause.CAMERA)
        assertEquals(listOf(queue, queue, camera, Outcome.Unfinished, Outcome.Unfinished), outcomes())
        assertEquals(listOf("image 1000"), heard.discarded)
        join.finish()
        assertEquals(listOf(queue, queue, camera, camera, camera), outcomes())
        assertEquals(emptyList<Violation>(), ledger.violations())
    }

    @Test
    fun `a frame that the camera lost is dropped by the camera, and its image is closed`() {
        join.started(1_000)
        join.lost(1_000)
        image(2_000)
        join.lost(2_000)
        join.lost(3_000)
        assertEquals(List(3) { Outcome.Dropped(DropCause.CAMERA) }, outcomes())
        assertEquals(listOf("image 2000"), heard.discarded)
    }

    @Test
    fun `what comes for a frame that is done makes no new frame`() {
        join.lost(1_000)
        result(1_000)
        image(1_000)
        result(2_000)
        image(2_000)
        join.started(2_000)
        join.lost(2_000)
        image(2_000)
        assertEquals(2, ledger.records().size)
        assertEquals(listOf("image 1000", "image 2000"), heard.discarded)
        assertEquals(1, heard.joined.size)
    }

    @Test
    fun `in any mess every frame ends once and every image goes one way`() = runBlocking<Unit> {
        checkAll(200, Arb.long(), Arb.int(1..6)) { seed, window ->
            val random = Random(seed)
            val ledger = Ledger(emptyList(), 100) { MonotonicNs(it) }
            val heard = Heard()
            val join = ResultJoin(ledger, heard, window)
            val events = (1L..30L).flatMap { frame ->
                listOf("started", "result", "image", "lost").filter {
                    random.nextInt(
                        if (it ==
                            "lost"
                        ) {
                            10
                        } else {
                            4
                        },
                    ) != 0 ==
                        (it != "lost")
                }
                    .map { Triple(frame + random.nextInt(5), it, frame * 1_000) }
            }.shuffled(random).sortedBy { it.first }
            for ((_, kind, timestamp) in events) {
                when (kind) {
                    "started" -> join.started(timestamp)
                    "result" -> join.result(exposure(timestamp), MonotonicNs(timestamp + 50))
                    "image" -> join.image(timestamp, "image $timestamp", MonotonicNs(timestamp + 60))
                    else -> join.lost(timestamp)
                }
            }
            join.finish()
            for ((frame, _, _) in heard.joined) ledger.failed(frame, "not worked on here")
            assertEquals(emptyList<Violation>(), ledger.violations())
            assertEquals(events.map { it.third }.distinct().size, ledger.records().size)
            val images = events.filter { it.second == "image" }.map { "image ${it.third}" }
            assertEquals(images.sorted(), (heard.joined.map { it.second } + heard.discarded).sorted())
        }
    }
}
