package org.litebundle.app.display

import java.io.Closeable

/** Puts results on the screen, on a surface of their own: the compositor takes each with one transaction. */
interface Overlay : Closeable {
    /** Show [drawing], the result of [frame], instead of what was shown. On the pipeline's thread. */
    fun show(frame: Long, drawing: Drawing)
}
