"""An adb daemon on the loopback: the device's side of adb's wire protocol, in front of a phone made of Python.

Written from the protocol's description in AOSP (packages/modules/adb: protocol.txt, OVERVIEW.TXT, SYNC.TXT and
shell_protocol). It advertises only what it implements: shell_v2, cmd, stat_v2.
"""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

CNXN, AUTH, OPEN, OKAY, CLSE, WRTE = (
    int.from_bytes(name, "little") for name in (b"CNXN", b"AUTH", b"OPEN", b"OKAY", b"CLSE", b"WRTE")
)
VERSION = 0x01000001
MAX_PAYLOAD = 256 * 1024
SIGNATURE = 2  # an AUTH that answers the token; one that offers a public key waits for a finger on the screen
HEADER = struct.Struct("<6I")
FEATURES = "shell_v2,cmd,stat_v2"
STDIN, STDOUT, STDERR, EXIT = 0, 1, 2, 3
SYNC_DATA_MAX = 64 * 1024
NO_ENTRY = 2


class Gone(Exception):
    """The other side closed the stream or the connection."""


class NoSpace(Exception):
    """The phone's storage is full."""


@dataclass(frozen=True)
class Done:
    """What a shell command left."""

    out: str = ""
    err: str = ""
    code: int = 0


@dataclass(frozen=True)
class Stat:
    mode: int
    size: int


class Phone(Protocol):
    """What the daemon serves; paths are absolute."""

    def shell(self, command: str, console: Console) -> Done: ...

    def install(self, command: str, data: bytes) -> str: ...

    def stat(self, path: str) -> Stat | None: ...

    def list(self, path: str) -> list[tuple[str, Stat]]: ...

    def read(self, path: str) -> bytes: ...

    def receive(self, path: str, so_far: int) -> None:
        """Called before each block of a push is taken; may raise NoSpace."""

    def write(self, path: str, data: bytes) -> None: ...


@dataclass
class Stream:
    """One open service: bytes in, bytes out, every block acknowledged before the next."""

    daemon: Daemon
    connection: socket.socket
    local: int
    remote: int
    _incoming: queue.SimpleQueue[bytes | None] = field(default_factory=queue.SimpleQueue)
    _acknowledged: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(1))
    _rest: bytes = b""
    closed: bool = False

    def read(self, size: int) -> bytes:
        """Exactly `size` bytes."""
        while len(self._rest) < size:
            block = self._incoming.get()
            if block is None:
                raise Gone
            self._rest += block
        data, self._rest = self._rest[:size], self._rest[size:]
        return data

    def write(self, data: bytes) -> None:
        for start in range(0, len(data), MAX_PAYLOAD):
            self._acknowledged.acquire()
            if self.closed:
                raise Gone
            self.daemon.send(self.connection, WRTE, self.local, self.remote, data[start : start + MAX_PAYLOAD])

    def close(self) -> None:
        with suppress(OSError):
            self.daemon.send(self.connection, CLSE, self.local, self.remote)

    def put(self, block: bytes) -> None:
        self._incoming.put(block)

    def acknowledge(self) -> None:
        self._acknowledged.release()

    def end(self) -> None:
        self.closed = True
        self._incoming.put(None)
        self._acknowledged.release()


@dataclass
class Console:
    """A running command's own output, for those that tell as they go."""

    stream: Stream

    def print(self, text: str) -> None:
        self.stream.write(_packet(STDOUT, text.encode()))

    @property
    def closed(self) -> bool:
        return self.stream.closed


class Daemon:
    """Listens on a port of the loopback until `stop`; `authorised` False asks for a key that nobody confirms."""

    def __init__(self, phone: Phone, *, authorised: bool = True) -> None:
        self.phone = phone
        self.authorised = authorised
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._sending = threading.Lock()
        self._accepts = True
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self.port}"

    def drop(self, *, for_good: bool = False) -> None:
        """Cut the cable; with `for_good` nobody can connect again."""
        if for_good:
            self._accepts = False
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # close alone would let one more in
            self._socket.close()
        for connection in self._connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._connections.clear()

    def stop(self) -> None:
        self.drop(for_good=True)

    def send(self, connection: socket.socket, command: int, arg0: int, arg1: int, data: bytes = b"") -> None:
        header = HEADER.pack(command, arg0, arg1, len(data), sum(data) & 0xFFFFFFFF, command ^ 0xFFFFFFFF)
        with self._sending:
            connection.sendall(header + data)

    def _listen(self) -> None:
        while self._accepts:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as adbd does: small packets, at once
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        streams: dict[int, Stream] = {}
        with suppress(OSError, Gone), connection:
            while True:
                command, arg0, arg1, size, _, _ = HEADER.unpack(_exactly(connection, HEADER.size))
                data = _exactly(connection, size)
                if command == CNXN:
                    self._greet(connection)
                elif command == AUTH and arg0 == SIGNATURE:
                    self.send(connection, AUTH, 1, 0, bytes(20))
                elif command == OPEN:
                    stream = Stream(self, connection, local=len(streams) + 1, remote=arg0)
                    streams[stream.local] = stream
                    self.send(connection, OKAY, stream.local, stream.remote)
                    service = data.rstrip(b"\0").decode()
                    threading.Thread(target=self._answer, args=(stream, service), daemon=True).start()
                elif arg1 in streams:
                    self._pass_on(connection, streams[arg1], command, data)
        for stream in streams.values():
            stream.end()

    def _greet(self, connection: socket.socket) -> None:
        if self.authorised:
            banner = f"device::ro.product.name=loop;ro.product.model=Loop_1;ro.product.device=loop;features={FEATURES}"
            self.send(connection, CNXN, VERSION, MAX_PAYLOAD, banner.encode())
        else:
            self.send(connection, AUTH, 1, 0, bytes(20))

    def _pass_on(self, connection: socket.socket, stream: Stream, command: int, data: bytes) -> None:
        if command == WRTE:
            stream.put(data)
            self.send(connection, OKAY, stream.local, stream.remote)
        elif command == OKAY:
            stream.acknowledge()
        elif command == CLSE:
            stream.end()

    def _answer(self, stream: Stream, service: str) -> None:
        with suppress(Gone, OSError):
            kind, _, argument = service.partition(":")
            if kind.partition(",")[0] == "shell":
                assert "v2" in kind.split(","), f"asked for the old shell: {service}"
                done = self.phone.shell(argument, Console(stream))
                for number, text in ((STDOUT, done.out), (STDERR, done.err)):
                    if text:
                        stream.write(_packet(number, text.encode()))
                stream.write(_packet(EXIT, bytes([done.code])))
            elif kind == "exec":
                size = int(argument.replace("'", "").rpartition("-S ")[2].split()[0])
                stream.write(self.phone.install(argument, stream.read(size)).encode())
            elif kind == "sync":
                self._sync(stream)
        stream.close()

    def _sync(self, stream: Stream) -> None:
        answers: dict[bytes, Callable[[str], bytes]] = {
            b"STAT": self._stat,
            b"STA2": lambda path: self._stat2(b"STA2", path),
            b"LST2": lambda path: self._stat2(b"LST2", path),
            b"LIST": self._list,
            b"RECV": self._recv,
        }
        while True:
            name, size = struct.unpack("<4sI", stream.read(8))
            argument = stream.read(size).decode()
            if name == b"QUIT":
                return
            if name == b"SEND":
                stream.write(self._send(stream, argument))
            else:
                stream.write(answers[name](argument))

    def _stat(self, path: str) -> bytes:
        stat = self.phone.stat(path) or Stat(0, 0)
        return struct.pack("<4s3I", b"STAT", stat.mode, stat.size, 0)

    def _stat2(self, name: bytes, path: str) -> bytes:
        stat = self.phone.stat(path)
        error, stat = (0, stat) if stat else (NO_ENTRY, Stat(0, 0))
        return struct.pack("<4sI2Q4IQ3q", name, error, 0, 0, stat.mode, 1, 2000, 2000, stat.size, 0, 0, 0)

    def _list(self, path: str) -> bytes:
        entries = b"".join(
            struct.pack("<4s4I", b"DENT", stat.mode, stat.size, 0, len(name.encode())) + name.encode()
            for name, stat in self.phone.list(path)
        )
        return entries + struct.pack("<4s4I", b"DONE", 0, 0, 0, 0)

    def _recv(self, path: str) -> bytes:
        if self.phone.stat(path) is None:
            return _fail(f"open failed: No such file or directory: {path}")
        data = self.phone.read(path)
        blocks = (data[start : start + SYNC_DATA_MAX] for start in range(0, len(data), SYNC_DATA_MAX))
        return b"".join(struct.pack("<4sI", b"DATA", len(b)) + b for b in blocks) + struct.pack("<4sI", b"DONE", 0)

    def _send(self, stream: Stream, path_and_mode: str) -> bytes:
        path = path_and_mode.rpartition(",")[0]
        data = bytearray()
        fault = ""
        while True:
            name, size = struct.unpack("<4sI", stream.read(8))
            if name == b"DONE":
                break
            data += stream.read(size)
            try:
                self.phone.receive(path, len(data))
            except NoSpace:
                # As the real daemon does: the rest is read and thrown away, then comes the reason.
                fault = "write failed: No space left on device"
        if fault:
            return _fail(fault)
        self.phone.write(path, bytes(data))
        return struct.pack("<4sI", b"OKAY", 0)


def _packet(number: int, data: bytes) -> bytes:
    return struct.pack("<BI", number, len(data)) + data


def _fail(reason: str) -> bytes:
    return struct.pack("<4sI", b"FAIL", len(reason)) + reason.encode()


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        block = connection.recv(size - len(data))
        if not block:
            raise Gone
        data += block
    return bytes(data)
