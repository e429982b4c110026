"""The process's peak memory for REPORT lines: getrusage where it can be believed, /proc where it cannot."""

import re
import resource
import sys
from time import monotonic

#: Below this a difference between getrusage and the kernel's own mark is sampling, not inheritance.
_SLACK_KIB = 2 * 1024
#: A reading of /proc costs more than a short handler, so it is taken at most this often.
_REFRESH_S = 0.02


class Peak:
    """Tells the peak resident size in KiB.

    Linux hands the peak of whoever spawned the process through exec, so that it may begin with the host's figure. Until its own
    peak passes that, VmHWM (the current program's own) is read instead.
    """

    def __init__(self):
        self._inherited_kib = _usage_kib()
        own = _own_kib()
        self._own_kib = self._inherited_kib if own is None else own
        self._is_inherited = self._inherited_kib - self._own_kib > _SLACK_KIB
        self._read_at = 0.0

    def kib(self):
        usage = _usage_kib()
        if not self._is_inherited or usage > self._inherited_kib:
            return usage
        now = monotonic()
        if now - self._read_at >= _REFRESH_S:
            own = _own_kib()
            self._own_kib = self._own_kib if own is None else own
            self._read_at = now
        return self._own_kib


def _usage_kib():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


def _own_kib():
    """`None` without /proc."""
    try:
        with open("/proc/self/status", encoding="latin-1") as status:
            found = re.search(r"^VmHWM:\s+(\d+) kB", status.read(), re.MULTILINE)
    except OSError:
        return None
    return None if found is None else int(found.group(1))
