"""Frames over one descriptor: a reader that blocks, a writer that returns when the kernel has all of it.

References to functions of the system are taken at import: a handler that patches `os` or `time` does not reach the protocol.
"""

import select
from os import _exit as exit_now
from os import close, read, readv, write
from struct import Struct
from threading import RLock
from time import time

_CHUNK_BYTES = 64 * 1024
#: The longest piece of raw output, and the longest log event, in one frame.
_MAX_LOG_BYTES = 256 * 1024
_MAX_ERROR_TYPE_BYTES = 8192
_MAX_U32 = 0xFFFF_FFFF

_u16 = Struct("<H")
_u32 = Struct("<I")
_log_head = Struct("<IcBd")
_answer_head = Struct("<Ic36sII")


class FrameReader:
    """Cuts the byte stream of the host into frames."""

    def __init__(self, fd):
        self._fd = fd
        self._buffer = b""

    def next(self):
        """Blocks until the next frame is whole; its kind and body, or `(None, b"")` when the host has closed its end."""
        if not self._require(4):
            return None, b""
        end = 4 + _u32.unpack_from(self._buffer)[0]
        if not self._require(end):
            return None, b""
        frame, self._buffer = self._buffer, self._buffer[end:]
        return frame[4:5], frame[5:end]

    def _require(self, size):
        missing = size - len(self._buffer)
        if missing > _CHUNK_BYTES:
            return self._fill(size)
        while len(self._buffer) < size:
            chunk = _read_some(self._fd)
            if not chunk:
                return False
            self._buffer += chunk
        return True

    def _fill(self, size):
        """A large frame is read into its place instead of being joined chunk by chunk."""
        whole = bytearray(size)
        at = len(self._buffer)
        whole[:at] = self._buffer
        view = memoryview(whole)
        while at < size:
            count = _retried(self._fd, readv, self._fd, [view[at:]])
            if not count:
                return False
            at += count
        view.release()
        self._buffer = bytes(whole)
        return True


class Fields:
    """Walks through the fields of one frame's body, in order."""

    def __init__(self, body):
        self._body = body
        self._at = 0

    def number(self, size):
        return int.from_bytes(self._take(size), "little")

    def id(self):
        return self._take(36).decode("latin-1")

    def text16(self):
        """`None` when empty: the protocol's word for absent."""
        text = self._take(self.number(2))
        return text.decode("utf-8", "surrogatepass") if text else None

    def rest(self):
        return self._body[self._at :]

    def _take(self, size):
        start = self._at
        self._at = start + size
        return self._body[start : self._at]


class FrameWriter:
    """Writes whole frames, from any thread. Ends the process when nobody reads any more."""

    def __init__(self, fd):
        self._fd = fd
        self._lock = RLock()
        self._is_writing = False
        self._postponed = []

    def up(self, max_rss_kib):
        self._frame(b"U", _u32.pack(max_rss_kib))

    def ready(self, max_rss_kib):
        self._frame(b"R", _u32.pack(max_rss_kib))

    def init_failed(self, max_rss_kib, error_type, body):
        self._frame(b"F", _u32.pack(max_rss_kib) + _text16(error_type), body)

    def result(self, head, payload):
        self._answer(b"O", head, payload)

    def function_error(self, head, error_type, body):
        self._answer(b"E", head, _text16(error_type) + body)

    def not_json(self, head, reason):
        self._answer(b"J", head, reason.encode("utf-8", "replace"))

    def not_begun(self, request_id):
        self._frame(b"N", request_id.encode("latin-1"))

    def log_event(self, level, text):
        """One whole log event; becomes several when it is very long. A LF is put at its end where there is none."""
        if not text.endswith("\n"):
            text += "\n"
        data = text.encode("utf-8", "backslashreplace")
        while len(data) > _MAX_LOG_BYTES:
            end = _character_start(data, _MAX_LOG_BYTES - 1)
            self._log(level, data[:end] + b"\n")
            data = data[end:]
        self._log(level, data)

    def raw_log(self, fd, data):
        """A piece of what went to sys.stdout or sys.stderr (`fd` 1 or 2)."""
        for start in range(0, len(data), _MAX_LOG_BYTES):
            self._log(0, data[start : start + _MAX_LOG_BYTES], fd)

    def forked(self):
        """In a child process: the socket is the parent's alone; output goes to the descriptors that children have."""
        if self._fd is not None:
            close(self._fd)  # not of a child's child: it has none
        self._fd = None
        self._lock = RLock()
        self._is_writing = False
        self._postponed = []

    def _log(self, level, data, fd=1):
        if self._fd is None:
            _write_all(fd, data)
            return
        self._send([_log_head.pack(10 + len(data), b"L", level, time() * 1000) + data])

    def _answer(self, kind, head, rest):
        request_id, max_rss_kib, duration_us = head
        length = _answer_head.size - 4 + len(rest)
        packed = _answer_head.pack(
            length, kind, request_id.encode("latin-1"), max_rss_kib, min(duration_us, _MAX_U32)
        )
        self._send([packed + rest] if len(rest) <= _CHUNK_BYTES else [packed, rest])

    def _frame(self, kind, head, rest=b""):
        self._send([_u32.pack(1 + len(head) + len(rest)) + kind + head + rest])

    def _send(self, pieces):
        with self._lock:
            if self._is_writing:
                # A finaliser or signal handler that prints while its own thread is in the middle of a frame.
                self._postponed.append(pieces)
                return
            self._is_writing = True
            try:
                self._write_out(pieces)
                while self._postponed:
                    self._write_out(self._postponed.pop(0))
            finally:
                self._is_writing = False

    def _write_out(self, pieces):
        try:
            for piece in pieces:
                _write_all(self._fd, piece)
        except (BrokenPipeError, ConnectionResetError):
            exit_now(0)


def _text16(text):
    data = text.encode("utf-8", "replace")[:_MAX_ERROR_TYPE_BYTES]
    return _u16.pack(len(data)) + data


def _character_start(data, at):
    """Where to cut so that no character of several bytes falls apart."""
    while at > 0 and data[at] & 0xC0 == 0x80:
        at -= 1
    return at


def _write_all(fd, data):
    sent = _retried(fd, write, fd, data)
    if sent < len(data):
        view = memoryview(data)
        while sent < len(data):
            sent += _retried(fd, write, fd, view[sent:])


def _read_some(fd):
    try:
        return _retried(fd, read, fd, _CHUNK_BYTES)
    except ConnectionResetError:
        return b""


def _retried(fd, call, *arguments):
    """Where somebody made the descriptor non-blocking, as a child process may, waiting is done by hand."""
    while True:
        try:
            return call(*arguments)
        except BlockingIOError:
            select.select([fd] if call is not write else [], [fd] if call is write else [], [])
