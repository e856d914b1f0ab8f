package org.litebundle.core.display

import org.litebundle.core.clock.MonotonicNs

/** How good the evidence for a time of presentation is, best first. */
enum class Grade {
    /** A signalled present fence. */
    A,

    /** The compositor's timestamps (EGL_ANDROID_get_frame_timestamps). */
    B,

    /** The expected presentation of a frame timeline. */
    C,

    /** A model: the next vsync and one period. */
    D,
}

/** A time of presentation: it lies in [[earliest], [latest]], [value] between them; [source] names what told it. */
data class Stamp(
    val value: MonotonicNs,
    val earliest: MonotonicNs,
    val latest: MonotonicNs,
    val grade: Grade,
    val source: String,
)
