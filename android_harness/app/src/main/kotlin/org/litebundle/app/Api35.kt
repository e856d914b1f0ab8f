package org.litebundle.app

/**
 * Calls what Android has from API 35 on. The build's interface check (animal-sniffer, API 34) leaves such a class out,
 * so whoever makes one asks for the device's level first.
 */
@Retention(AnnotationRetention.BINARY)
@Target(AnnotationTarget.CLASS)
internal annotation class Api35
