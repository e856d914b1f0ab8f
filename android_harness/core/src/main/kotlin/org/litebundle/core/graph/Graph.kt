package org.litebundle.core.graph

import org.litebundle.core.json.Json

/** One operation of a graph (docs/bundle.md, "Graph"); [inputs] and [outputs] are names of values. */
data class Node(
    val name: String,
    val op: String,
    val stage: String?,
    val each: Boolean,
    val inputs: List<String>,
    val outputs: List<String>,
    val attributes: Map<String, Json>,
)

/** A field of each result item, and the value that it is taken from. */
data class ResultField(val field: String, val value: String)

/** Nodes in an order in which they can run, and what comes out. */
data class Graph(val nodes: List<Node>, val results: List<ResultField>) {
    companion object {
        /** The value from outside: uint8 [height, width, 3] RGB. */
        const val PHOTO = "photo"
    }
}
