package org.litebundle.app

import android.content.Context

/** A system service that every device has; the platform's own declaration is nullable in some jars and not in others. */
internal fun <T : Any> Context.service(type: Class<T>): T {
    val found: T? = getSystemService(type)
    return checkNotNull(found) { "this device has no ${type.simpleName}" }
}
