"""The root logger's one handler, in the text or the JSON format; and how the runtime logs failures."""

import logging
import os
import time
import traceback

from .errors import log_lines
from .marshal import to_json

_TEXT_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n"
_TEXT_DATE = "%Y-%m-%dT%H:%M:%S"
_JSON_DATE = "%Y-%m-%dT%H:%M:%SZ"

_DEBUG, _INFO, _WARN, _ERROR, _FATAL = 2, 3, 4, 5, 6

#: Members of every record, which are not the caller's `extra`.
_RESERVED = frozenset(logging.LogRecord("", 0, "", 0, "", (), None).__dict__) | {
    "asctime",
    "message",
    "taskName",
    "aws_request_id",
    "tenant_id",
}

UNHANDLED = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, "
    "or can be applied automatically. To determine if the runtime has been updated, check the "
    "runtime version in the INIT_START log entry. If this error correlates with a change in the "
    "runtime version, you may be able to mitigate this error by temporarily rolling back to the "
    "previous runtime version. For more information, see "
    "https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html"
)


class CurrentInvocation:
    """What log lines say of the invocation that runs; kept until the next one begins."""

    def __init__(self):
        self.request_id = None
        self.tenant_id = None


class Logger:
    """Owns format and level; installs the handler."""

    def __init__(self, writer, invocation):
        self._writer = writer
        self._is_json = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        self._handler = _FrameHandler(writer, invocation)
        self._handler.setFormatter(
            _JsonFormatter(datefmt=_JSON_DATE)
            if self._is_json
            else logging.Formatter(_TEXT_FORMAT, _TEXT_DATE)
        )

    def install(self):
        logging.Formatter.converter = time.gmtime
        root = logging.getLogger()
        root.addHandler(self._handler)
        level = _level_named(os.environ.get("AWS_LAMBDA_LOG_LEVEL"))
        if level is not None:
            root.setLevel(level)
        elif self._is_json:
            root.setLevel(logging.INFO)

    def failure(self, body):
        """Logs the body of a failed invocation or init, whatever the level is."""
        if not self._is_json:
            self._writer.log_event(_ERROR, log_lines(body))
            return
        stamp = time.strftime(_JSON_DATE, time.gmtime())
        self._writer.log_event(_ERROR, to_json({"timestamp": stamp, "log_level": "ERROR", **body}))


class _FrameHandler(logging.Handler):
    def __init__(self, writer, invocation):
        super().__init__()
        self._writer = writer
        self._invocation = invocation

    def emit(self, record):
        try:
            record.aws_request_id = self._invocation.request_id or ""
            record.tenant_id = self._invocation.tenant_id
            self._writer.log_event(_byte_of(record.levelno), self.format(record))
        except Exception:
            self.handleError(record)

    def write_raw(self, text):
        self._writer.raw_log(1, text.encode("utf-8", "backslashreplace"))


class _JsonFormatter(logging.Formatter):
    def format(self, record):
        entry = {
            "timestamp": self.formatTime(record, self.datefmt),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            **_failure_members(record),
            "requestId": record.aws_request_id,
            "tenantId": record.tenant_id,
        }
        for name, value in record.__dict__.items():
            if name not in _RESERVED and name not in entry:
                entry[name] = value
        entry = {name: value for name, value in entry.items() if value is not None}
        try:
            return to_json(entry)
        except (TypeError, ValueError):
            return to_json({name: _plain(value) for name, value in entry.items()})


def _failure_members(record):
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    kind, error, trace = record.exc_info
    return {
        "stackTrace": traceback.format_tb(trace),
        "errorType": kind.__name__,
        "errorMessage": str(error),
        "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
    }


def _plain(value):
    """What JSON cannot hold is shown as text."""
    try:
        to_json(value)
        return value
    except (TypeError, ValueError):
        return str(value)


def _level_named(name):
    name = (name or "").upper()
    if name == "TRACE":
        return logging.DEBUG
    level = logging.getLevelName(name)
    return level if isinstance(level, int) and name else None


def _byte_of(level):
    if level >= logging.CRITICAL:
        return _FATAL
    if level >= logging.ERROR:
        return _ERROR
    if level >= logging.WARNING:
        return _WARN
    return _INFO if level >= logging.INFO else _DEBUG
