package org.litebundle.core.bundle

import org.litebundle.core.graph.CheckedGraph
import org.litebundle.core.graph.GraphException
import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.json.Placed
import java.io.Closeable
import java.io.File
import java.io.IOException
import java.nio.ByteBuffer

/**
 * An open bundle, every byte of it checked (docs/bundle.md, "Integrity"), but for what needs a runtime: an engine holds
 * the models' tensors against the manifest when it loads them.
 *
 * May be used from several threads.
 */
class Bundle private constructor(container: Container) : Closeable {
    @Volatile
    private var container: Container? = container

    /** SHA-256 of `manifest.json` and so, through the digests in it, of the bundle; lower-case hexadecimal. */
    val digest: String

    val manifest: Manifest
    val graph: CheckedGraph

    private val labels: Map<String, List<String>>

    init {
        val checked = Integrity(container)
        digest = checked.digest
        manifest = checked.manifest
        labels = manifest.graph.nodes.mapNotNull { it.attributes["labels"] }.distinct().associate(::readLabels)
        graph = try {
            CheckedGraph.of(manifest.graph, manifest.stages, labels)
        } catch (error: GraphException) {
            throw BundleException("file '$MANIFEST': ${error.message}")
        }
    }

    /** The names of all files in the bundle. */
    val names: Set<String> get() = open().names

    /**
     * A file's content: a read-only, little-endian, direct view of the mapped bundle, without a copy. A `.tflite`
     * begins on a page. Throws [BundleException] if there is no such file.
     */
    fun file(name: String): ByteBuffer = open()[name] ?: throw BundleException("there is no file '$name'")

    /** The strings in the label file [name], which some node of the graph names. */
    fun labels(name: String): List<String> = labels[name] ?: throw BundleException("no node takes labels from '$name'")

    /** Let go of the mapping; it ends when no view that [file] gave is referenced any more. */
    override fun close() {
        container = null
    }

    private fun open() = container ?: throw IllegalStateException("the bundle is closed")

    private fun readLabels(attribute: Json): Pair<String, List<String>> {
        val name = (attribute as? Json.Text)?.value
        val content = name?.let { open()[it] }
            ?: throw BundleException("file $attribute is missing, and the graph takes its labels from it")
        return try {
            name to Placed(Json.parse(content)).list { it.text() }
        } catch (error: JsonException) {
            throw BundleException("file '$name' is not a JSON list of strings: ${error.message}")
        }
    }

    companion object {
        /**
         * Map and check the bundle at [file], a zip or a folder.
         *
         * Throws [BundleException] naming [file], the file in it and the rule that it breaks, or [IOException].
         */
        fun open(file: File): Bundle = try {
            Bundle(Container.open(file))
        } catch (error: BundleException) {
            throw BundleException("$file: ${error.message}")
        }

        /**
         * Check the bundle that is [bytes] from its position to its limit, such as a mapped asset. It is not copied:
         * an engine that reads models in place needs a direct buffer.
         *
         * Throws [BundleException] naming the file in it and the rule that it breaks.
         */
        fun open(bytes: ByteBuffer): Bundle = Bundle(Container.zip(bytes))
    }
}
