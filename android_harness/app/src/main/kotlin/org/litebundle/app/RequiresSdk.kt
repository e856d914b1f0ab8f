package org.litebundle.app

/**
 * The class uses what Android has only since API [level], and is loaded only behind `Build.VERSION.SDK_INT >= level`.
 * Such calls have classes of their own, so that older systems never verify them.
 */
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS)
internal annotation class RequiresSdk(val level: Int)
