package org.litebundle.core.bundle

/** Why a bundle is refused: the file in it, the rule of docs/bundle.md that it breaks, and the way out. */
class BundleException(message: String) : Exception(message)
