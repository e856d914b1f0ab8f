package org.litebundle.app.run

import org.litebundle.core.json.Json
import org.litebundle.core.json.JsonException
import org.litebundle.core.verdict.RunKind
import java.io.File
import java.io.IOException
import java.nio.ByteBuffer

/** Why a plan is refused: the file, the rule that it breaks, and the way out. */
class PlanException(message: String) : Exception(message)

/** What the app is to do, for [seconds]; [run] names it. */
sealed interface Plan {
    val run: String
    val seconds: Int

    companion object {
        private const val FORMAT_VERSION = "1.0"
        private const val LONGEST_SECONDS = 3600
        private const val RECORD = "record"
        private val KEYS = setOf("format_version", "run", "kind", "seconds", "recording")
        private val KINDS = RunKind.entries.map { it.id } + RECORD
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
            val seconds = (members["seconds"] as? Json.Number)?.takeIf { it.isWhole }?.value?.toInt() ?: 0
            if (seconds !in 1..LONGEST_SECONDS) {
                throw PlanException("seconds is not a whole number from 1 to $LONGEST_SECONDS")
            }
            val recording = (members["recording"] as? Json.Text)?.let { File(it.value) }
            val name = (members["kind"] as? Json.Text)?.value
            val kind = RunKind.entries.find { it.id == name }
            if (kind == null && name != RECORD) throw PlanException("kind '$name' is none of $KINDS")
            if ((recording != null) != (kind == RunKind.REPLAY)) {
                throw PlanException("a recording is for kind 'replay', and for no other")
            }
            return if (kind == null) RecordPlan(run, seconds) else RunPlan(run, kind, seconds, recording)
        }
    }
}

/** A bundle is to run on live frames, or on those of [recording], a folder or a zip, for as long as that is. */
data class RunPlan(override val run: String, val kind: RunKind, override val seconds: Int, val recording: File?) : Plan

/** The camera's frames are to be recorded; no bundle runs. */
data class RecordPlan(override val run: String, override val seconds: Int) : Plan
