package org.litebundle.app.run

import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.verdict.RunKind
import java.io.File
import java.io.IOException
import java.nio.ByteBuffer

/** Why a plan is refused: the file, the rule that it breaks, and the way out. */
class PlanException(message: String) : Exception(message)

/** What a run is to do: [seconds] of a live or optical run, or a replay of [recording], a folder or a zip. */
data class Plan(val run: String, val kind: RunKind, val seconds: Int, val recording: File?) {
    companion object {
        private const val FORMAT_VERSION = "1.0"
        private const val LONGEST_SECONDS = 3600
        private val KEYS = setOf("format_version", "run", "kind", "seconds", "recording")
        private val RUN = Regex("[A-Za-z0-9_-]{1,64}")

        /** Throws [PlanException] naming [file] and the rule. */
        fun read(file: File): Plan = try {
            parse(Json.parse(ByteBuffer.wrap(file.readBytes())))
        } catch (error: IOException) {
            throw PlanException("$file cannot be read: ${error.message}")
        } catch (error: JsonException) {
            throw PlanException("$file is no JSON: ${error.message}")
        } catch (error: PlanException) {
            throw PlanException("$file: ${error.message}")
        }

        /** Throws [PlanException]. */
        fun parse(json: Json): Plan {
            val members = (json as? Json.Object)?.members ?: throw PlanException("it is no object")
            val version = (members["format_version"] as? Json.Text)?.value
            if (version != FORMAT_VERSION) {
                throw PlanException("format_version is $version, and this app reads $FORMAT_VERSION")
            }
            (members.keys - KEYS).firstOrNull()?.let { throw PlanException("key '$it' is none of $KEYS") }
            val run = (members["run"] as? Json.Text)?.value
            if (run == null || !RUN.matches(run)) throw PlanException("run is not 1 to 64 of A-Z a-z 0-9 _ -")
            val name = (members["kind"] as? Json.Text)?.value
            val kind = RunKind.entries.find { it.id == name }
                ?: throw PlanException("kind '$name' is none of ${RunKind.entries.map { it.id }}")
            val seconds = (members["seconds"] as? Json.Number)?.takeIf { it.isWhole }?.value?.toInt() ?: 0
            if (seconds !in
                1..LONGEST_SECONDS
            ) {
                throw PlanException("seconds is not a whole number from 1 to $LONGEST_SECONDS")
            }
            val recording = (members["recording"] as? Json.Text)?.let { File(it.value) }
            if ((recording != null) != (kind == RunKind.REPLAY)) {
                throw PlanException("a recording is for kind 'replay', and for no other")
            }
            return Plan(run, kind, seconds, recording)
        }
    }
}
