package org.litebundle.core.report

import org.litebundle.core.clock.MonotonicNs
import java.io.OutputStream

/** A row of a trace's display; slices on one of its [lanes] do not overlap. */
internal class Track(val name: String) {
    val lanes = ArrayList<Lane>()

    /** The first lane that is free at [begin] and then taken until [end]. */
    fun lane(begin: MonotonicNs, end: MonotonicNs, add: () -> Lane): Lane {
        val lane = lanes.find { it.takenUntil <= begin } ?: add().also(lanes::add)
        lane.takenUntil = end
        return lane
    }
}

internal class Lane(val uuid: Long, var takenUntil: MonotonicNs)

/**
 * A trace for ui.perfetto.dev: packets of perfetto_trace.proto, in the order in which they are put. The events of one
 * lane must come in the order of time; those of different lanes need not.
 */
internal class Perfetto(private val out: OutputStream) {
    private var uuids = 0L

    /** [boottimeOffsetNs]: BOOTTIME − MONOTONIC, where it is known, so that system traces can be laid beside this one. */
    fun clock(at: MonotonicNs, boottimeOffsetNs: Long?) {
        val snapshot = ProtoMessage().message(SNAPSHOT_CLOCKS, clockReading(MONOTONIC, at.ns))
        if (boottimeOffsetNs != null) {
            snapshot.message(SNAPSHOT_CLOCKS, clockReading(BOOTTIME, at.ns + boottimeOffsetNs))
        }
        snapshot.varint(SNAPSHOT_PRIMARY, MONOTONIC)
        packet(ProtoMessage().message(PACKET_CLOCK_SNAPSHOT, snapshot))
    }

    fun begin(track: Track, name: String, frame: Long, from: MonotonicNs, to: MonotonicNs): Lane {
        val lane = track.lane(from, to) { Lane(describe(track.name), from) }
        begin(lane, name, frame, from)
        return lane
    }

    fun begin(lane: Lane, name: String, frame: Long, at: MonotonicNs) =
        event(at, frameEvent(SLICE_BEGIN, lane, name, frame))

    fun end(lane: Lane, at: MonotonicNs) =
        event(at, ProtoMessage().varint(EVENT_TYPE, SLICE_END).varint(EVENT_TRACK, lane.uuid))

    fun instant(lane: Lane, name: String, frame: Long, at: MonotonicNs) =
        event(at, frameEvent(INSTANT, lane, name, frame))

    fun lane(name: String) = Lane(describe(name), MonotonicNs(Long.MIN_VALUE))

    /** A row that shows numbers in [unit]. */
    fun counter(name: String, unit: String): Lane {
        val counter = ProtoMessage().text(COUNTER_UNIT_NAME, unit)
        return Lane(describe(name) { message(TRACK_COUNTER, counter) }, MonotonicNs(Long.MIN_VALUE))
    }

    fun count(counter: Lane, value: Double, at: MonotonicNs) {
        val event = ProtoMessage().varint(EVENT_TYPE, COUNTER).varint(EVENT_TRACK, counter.uuid)
        event(at, event.double(EVENT_DOUBLE, value))
    }

    /** Equal flow ids draw arrows from each slice of a frame to its next; 0 is none. */
    private fun frameEvent(type: Long, lane: Lane, name: String, frame: Long): ProtoMessage {
        val annotation = ProtoMessage().text(ANNOTATION_NAME, "frame").varint(ANNOTATION_INT, frame)
        return ProtoMessage().varint(EVENT_TYPE, type).varint(EVENT_TRACK, lane.uuid).text(EVENT_NAME, name)
            .message(EVENT_ANNOTATION, annotation).fixed64(EVENT_FLOW, frame + 1)
    }

    private fun describe(name: String, more: ProtoMessage.() -> Unit = {}): Long {
        val uuid = ++uuids
        val track = ProtoMessage().varint(TRACK_UUID, uuid).text(TRACK_NAME, name)
        track.more()
        packet(ProtoMessage().message(PACKET_TRACK, track))
        return uuid
    }

    private fun event(at: MonotonicNs, event: ProtoMessage) {
        val packet = ProtoMessage().varint(PACKET_TIMESTAMP, at.ns).varint(PACKET_CLOCK_ID, MONOTONIC)
        packet(packet.message(PACKET_EVENT, event))
    }

    private fun packet(packet: ProtoMessage) =
        ProtoMessage().message(TRACE_PACKET, packet.varint(PACKET_SEQUENCE, 1)).writeTo(out)

    private fun clockReading(clock: Long, ns: Long) = ProtoMessage().varint(CLOCK_ID, clock).varint(CLOCK_TIME, ns)

    /** Field numbers and enum values of protos/perfetto/trace. */
    private companion object {
        const val TRACE_PACKET = 1

        const val PACKET_CLOCK_SNAPSHOT = 6
        const val PACKET_TIMESTAMP = 8
        const val PACKET_SEQUENCE = 10
        const val PACKET_EVENT = 11
        const val PACKET_CLOCK_ID = 58
        const val PACKET_TRACK = 60

        const val SNAPSHOT_CLOCKS = 1
        const val SNAPSHOT_PRIMARY = 2
        const val CLOCK_ID = 1
        const val CLOCK_TIME = 2
        const val MONOTONIC = 3L
        const val BOOTTIME = 6L

        const val TRACK_UUID = 1
        const val TRACK_NAME = 2
        const val TRACK_COUNTER = 8
        const val COUNTER_UNIT_NAME = 6

        const val EVENT_ANNOTATION = 4
        const val EVENT_TYPE = 9
        const val EVENT_TRACK = 11
        const val EVENT_NAME = 23
        const val EVENT_DOUBLE = 44
        const val EVENT_FLOW = 47
        const val SLICE_BEGIN = 1L
        const val SLICE_END = 2L
        const val INSTANT = 3L
        const val COUNTER = 4L
        const val ANNOTATION_INT = 4
        const val ANNOTATION_NAME = 10
    }
}
