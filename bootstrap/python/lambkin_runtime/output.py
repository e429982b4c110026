"""sys.stdout and sys.stderr as the function has them: whatever is printed is out before print() returns."""

import io
import sys


class _FrameStream(io.RawIOBase):
    """Bytes on their way into log frames."""

    def __init__(self, writer, fd, name):
        super().__init__()
        self._writer = writer
        self._fd = fd
        self.name = name
        self.mode = "wb"

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        self._writer.raw_log(self._fd, data)
        return len(data)

    def fileno(self):
        """What a child process is to inherit in its place."""
        return self._fd


def replace_streams(writer):
    """Puts streams of ours in place; descriptors 1 and 2 stay for child processes and native code."""
    for name, fd, errors in (("stdout", 1, "surrogateescape"), ("stderr", 2, "backslashreplace")):
        raw = _FrameStream(writer, fd, f"<{name}>")
        stream = io.TextIOWrapper(raw, encoding="utf-8", errors=errors, write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
