"""The invoke loop: take an event up, run the handler, answer, block in read(2) again."""

import os
import signal
from time import monotonic, time

from .context import LambdaContext
from .errors import error_body
from .frames import Fields
from .marshal import NotJson, read_event, to_json, write_result

_TRACE_ID = "_X_AMZN_TRACE_ID"


class InvokeLoop:
    """Runs until the host closes its end, the function is shut down, or its code ends the process."""

    def __init__(
        self, reader, writer, logger, invocation, handler, peak, withdrawn_up_to, after_restore
    ):
        self._reader = reader
        self._writer = writer
        self._logger = logger
        self._invocation = invocation
        self._handler = handler
        self._peak = peak
        self._withdrawn_up_to = withdrawn_up_to
        self._after_restore = after_restore
        self._ensure_ascii = _version_of(os.environ.get("AWS_EXECUTION_ENV", "")) < 12
        self._pid = os.getpid()

    def run(self):
        while True:
            kind, body = self._reader.next()
            if kind == b"I":
                self._invoke(Fields(body))
            elif kind == b"P":
                self._invoke_unless_withdrawn(Fields(body))
            elif kind == b"T":
                self._after_restore()
            elif kind == b"Q":
                _shut_down()
            else:
                os._exit(0)  # the host has closed its end

    def _invoke_unless_withdrawn(self, fields):
        # Every answer has been written by now: the host relies on that order.
        if fields.number(8) > self._withdrawn_up_to():
            self._invoke(fields)
        else:
            self._writer.not_begun(fields.id())

    def _invoke(self, fields):
        started = monotonic()
        request_id = fields.id()
        deadline_ms = int(time() * 1000) + fields.number(4)
        arn, trace_id, client_context, tenant_id = (fields.text16() for _ in range(4))
        self._invocation.request_id = request_id
        self._invocation.tenant_id = tenant_id
        _expose_trace_id(trace_id)

        def head():
            return request_id, self._peak.kib(), int((monotonic() - started) * 1_000_000)

        try:
            context = LambdaContext(request_id, deadline_ms, arn, client_context, tenant_id)
            event = read_event(fields.rest())
            result = self._handler(event, context)
            payload = write_result(result, self._ensure_ascii)
        except NotJson as error:
            self._writer.not_json(head(), str(error))
            return
        except Exception as error:
            self._end_if_forked()
            body = error_body(error, request_id)
            self._logger.failure(body)
            self._writer.function_error(head(), body["errorType"], to_json(body).encode("utf-8", "replace"))
            return
        self._end_if_forked()
        self._writer.result(head(), payload)

    def _end_if_forked(self):
        """A child that came back from the handler has no host to answer to."""
        if os.getpid() != self._pid:
            os._exit(0)


def _version_of(execution_env):
    """12 of `AWS_Lambda_python3.12`; 0 of anything else."""
    minor = execution_env.rpartition(".")[2]
    return int(minor) if minor.isdigit() else 0


def _expose_trace_id(trace_id):
    if trace_id is not None:
        os.environ[_TRACE_ID] = trace_id
    elif _TRACE_ID in os.environ:
        del os.environ[_TRACE_ID]


def _shut_down():
    """A last turn for the function's own SIGTERM handler; without one the process just ends."""
    if callable(signal.getsignal(signal.SIGTERM)):
        signal.raise_signal(signal.SIGTERM)
    os._exit(0)
