package org.litebundle.core.glue

// Scratch arrays grow to the largest use seen and stay; a grown one has no defined content.

internal fun ByteArray.grown(size: Int) = if (this.size >= size) this else ByteArray(size)

internal fun IntArray.grown(size: Int) = if (this.size >= size) this else IntArray(size)

internal fun FloatArray.grown(size: Int) = if (this.size >= size) this else FloatArray(size)

internal fun DoubleArray.grown(size: Int) = if (this.size >= size) this else DoubleArray(size)
