package org.litebundle.core.frame

import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import java.util.Random
import java.util.concurrent.CyclicBarrier
import java.util.concurrent.atomic.AtomicInteger
import kotlin.concurrent.thread

/** A call of a slot: [argument] of an offer, [answer] or null; it took effect after [begin] and before [end]. */
private class Call(val kind: String, val argument: Int?, val begin: Int, val end: Int, val answer: Int?)

/** What a slot must do, one call after the other. */
private data class Spec(val value: Int?, val closed: Boolean) {
    /** The slot after [call], or null if the call cannot answer what it did. */
    fun after(call: Call): Spec? {
        val (answer, next) = when (call.kind) {
            "offer" -> if (closed) call.argument to this else value to Spec(call.argument, false)
            "poll" -> value to copy(value = null)
            "take" -> if (value == null && !closed) return null else value to copy(value = null)
            else -> value to Spec(null, true)
        }
        return if (answer == call.answer) next else null
    }
}

/**
 * Whether the calls can be put in an order that agrees with time and with the spec (Wing and Gong 1993): one that may
 * come first began before every other ended.
 */
private fun isLinearizable(calls: List<Call>, state: Spec = Spec(null, false)): Boolean {
    if (calls.isEmpty()) return true
    val firstEnd = calls.minOf { it.end }
    return calls.any { call ->
        call.begin < firstEnd && state.after(call)?.let { isLinearizable(calls - call, it) } == true
    }
}

class LinearizabilityTest {
    /** [threads] threads make random calls at once, thousands of times; every history is checked. */
    private fun check(threads: Int, callsEach: Int, histories: Int, slot: () -> LatestSlot<Int>) {
        val random = Random(threads.toLong())
        val plans = List(histories) { List(threads) { thread -> plan(random, thread, callsEach) } }
        val slots = List(histories) { slot() }
        val ticks = AtomicInteger()
        val barrier = CyclicBarrier(threads)
        val made = List(threads) { thread ->
            List(histories) { ArrayList<Call>() }.also { calls ->
                workers.add(
                    thread {
                        for (history in 0 until histories) {
                            barrier.await()
                            for ((kind, argument) in plans[history][thread]) {
                                val begin = ticks.getAndIncrement()
                                val answer = call(slots[history], kind, argument)
                                calls[history].add(Call(kind, argument, begin, ticks.getAndIncrement(), answer))
                            }
                        }
                    },
                )
            }
        }
        workers.forEach { it.join() }
        var overlapping = 0
        for (history in 0 until histories) {
            val calls = made.flatMap { it[history] }
            assertTrue(isLinearizable(calls)) {
                "history $history: " +
                    calls.joinToString { "${it.kind}(${it.argument}) ${it.begin}-${it.end}: ${it.answer}" }
            }
            if (calls.any { one -> calls.any { it !== one && it.begin < one.end && one.begin < it.end } }) overlapping++
        }
        assertTrue(overlapping > 0, "no two calls were ever made at once")
    }

    private val workers = ArrayList<Thread>()

    private fun call(slot: LatestSlot<Int>, kind: String, argument: Int?) = when (kind) {
        "offer" -> slot.offer(checkNotNull(argument))
        "poll" -> slot.poll()
        "take" -> slot.take()
        else -> slot.close()
    }

    /** The first thread offers alone and closes at the end, so that nobody who takes waits forever. */
    private fun plan(random: Random, thread: Int, calls: Int): List<Pair<String, Int?>> = if (thread == 0) {
        List(calls) { if (random.nextInt(4) == 0) "poll" to null else "offer" to it + 1 } + ("close" to null)
    } else {
        List(calls) {
            when (random.nextInt(3)) {
                0 -> "poll" to null
                1 -> "take" to null
                else -> "offer" to 100 * thread + it
            }
        }
    }

    @Test
    fun `an interrupt ends who takes, also where there is always something to take`() {
        val slot = LatestSlot<Int>().apply { offer(1) }
        Thread.currentThread().interrupt()
        assertThrows(InterruptedException::class.java) { slot.take() }
        assertEquals(1, slot.take())
    }

    @Test
    fun `every history of two threads is linearizable`() =
        check(threads = 2, callsEach = 4, histories = 5_000, ::LatestSlot)

    @Test
    fun `every history of three threads is linearizable`() =
        check(threads = 3, callsEach = 3, histories = 4_000, ::LatestSlot)

    @Test
    fun `the checker refuses what no order explains`() {
        fun offer(argument: Int, begin: Int, answer: Int?) = Call("offer", argument, begin, begin + 1, answer)
        fun poll(begin: Int, end: Int, answer: Int?) = Call("poll", null, begin, end, answer)
        assertTrue(isLinearizable(listOf(offer(1, 0, null), offer(2, 2, 1), poll(4, 5, 2))))
        assertFalse(isLinearizable(listOf(offer(1, 0, null), offer(2, 2, 1), poll(4, 5, 1))), "the oldest won")
        assertFalse(isLinearizable(listOf(offer(1, 0, null), offer(2, 2, null), poll(4, 5, 2))), "one was lost")
        assertFalse(isLinearizable(listOf(offer(1, 0, null), poll(2, 4, 1), poll(3, 5, 1))), "one was taken twice")
        assertTrue(isLinearizable(listOf(offer(1, 2, null), poll(0, 5, 1))), "it polled when the offer was made")
        assertFalse(isLinearizable(listOf(poll(0, 1, 1), offer(1, 2, null))), "it polled before the offer")
    }

    @Test
    fun `the newest wins and what it replaced comes back`() {
        val slot = LatestSlot<String>()
        assertNull(slot.poll())
        assertNull(slot.offer("a"))
        assertEquals("a", slot.offer("b"))
        assertEquals("b", slot.take())
        assertNull(slot.poll())
    }

    @Test
    fun `a closed slot gives back what was in it and what comes later, and nobody waits`() {
        val slot = LatestSlot<String>()
        val taken = ArrayList<String?>()
        val waiting = thread { taken.add(slot.take()) }
        while (waiting.state != Thread.State.WAITING) Thread.onSpinWait()
        assertNull(slot.close())
        waiting.join()
        assertEquals(listOf(null), taken)
        val late = "late"
        assertSame(late, slot.offer(late))
        assertNull(slot.take())
        assertEquals("a", LatestSlot<String>().also { it.offer("a") }.close())
    }

    @Test
    fun `every frame is either taken or given back`() {
        val slot = LatestSlot<Int>()
        val replaced = ArrayList<Int>()
        val taken = ArrayList<Int>()
        val worker = thread {
            while (true) taken.add(slot.take() ?: break)
        }
        for (frame in 0 until 100_000) slot.offer(frame)?.let(replaced::add)
        slot.close()?.let(replaced::add)
        worker.join()
        assertEquals((0 until 100_000).toList(), (taken + replaced).sorted())
        assertEquals(taken.sorted(), taken)
    }
}
