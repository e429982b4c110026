"""The hooks of SnapStart: run at the end of init, and when the host says that the environment is restored."""

import sys

from .errors import AFTER_RESTORE, BEFORE_SNAPSHOT, error_body
from .marshal import to_json

_HOOKS = "snapshot_restore_py"
_BEFORE_SNAPSHOT_STATUS = 64
_AFTER_RESTORE_STATUS = 65


class Snapshots:
    """Tells the host of a hook that fails, and ends the process."""

    def __init__(self, writer, logger, peak):
        self._writer = writer
        self._logger = logger
        self._peak = peak

    def before(self):
        registered = _registered("get_before_snapshot")
        try:
            while registered:
                func, args, kwargs = registered.pop()
                func(*args, **kwargs)
        except Exception as error:
            self._fail(BEFORE_SNAPSHOT, error, _BEFORE_SNAPSHOT_STATUS)

    def after(self):
        try:
            for func, args, kwargs in _registered("get_after_restore"):
                func(*args, **kwargs)
        except Exception as error:
            self._fail(AFTER_RESTORE, error, _AFTER_RESTORE_STATUS)
        self._writer.ready(self._peak.kib())

    def _fail(self, error_type, error, status):
        body = error_body(error)
        self._logger.failure(body)
        text = to_json(body).encode("utf-8", "replace")
        self._writer.init_failed(self._peak.kib(), error_type, text)
        sys.exit(status)


def _registered(getter):
    """Nothing where the function has not imported the module."""
    module = sys.modules.get(_HOOKS)
    return getattr(module, getter, list)()
