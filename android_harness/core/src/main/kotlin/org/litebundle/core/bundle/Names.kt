package org.litebundle.core.bundle

internal const val MANIFEST = "manifest.json"
internal const val MANIFEST_DIGEST = "MANIFEST.sha256"
internal const val MANIFEST_SIGNATURE = "MANIFEST.sig"

/** Rules for the names of files in a bundle (docs/bundle.md, "Files"). */
internal object Names {
    const val MAX_LENGTH = 240
    private val part = Regex("[A-Za-z0-9_+-][A-Za-z0-9_+.-]*")
    private val drive = Regex("[A-Za-z]:.*", RegexOption.DOT_MATCHES_ALL)

    /** Throws [BundleException] unless [name] stays inside the bundle and means one file on every file system. */
    fun check(name: String) {
        val fault = fault(name) ?: return
        throw BundleException(
            "file '$name': $fault; a name inside a bundle is a relative path of ASCII letters, digits and _ + - . " +
                "with / between, no part of which begins with a dot",
        )
    }

    /** Throws [BundleException] for a name that is there twice, also if only case tells the two apart. */
    fun checkDistinct(names: List<String>) {
        val seen = HashMap<String, String>()
        for (name in names) {
            val other = seen.put(name.lowercase(), name) ?: continue
            val twice = if (other == name) "is there twice" else "differs from '$other' by case alone"
            throw BundleException("file '$name': $twice; every name stands for one file")
        }
    }

    private fun fault(name: String): String? = when {
        name.startsWith("/") || drive.matches(name) -> "an absolute path leaves the bundle"
        '\\' in name || '\u0000' in name -> "a backslash or a NUL can leave the bundle"
        ".." in name.split("/") -> "'..' leaves the bundle"
        name.length > MAX_LENGTH -> "it is longer than $MAX_LENGTH characters"
        !name.split("/").all(part::matches) -> "it is not a portable name"
        else -> null
    }
}
