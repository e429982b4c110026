"""Errors as the service shows them: the body of an answer and the block in the log."""

import traceback

#: Frames of the runtime itself, which stack traces leave out.
_OWN_FILES = "/lambkin_runtime/"
_NO_BREAK_SPACE = "\u00a0"

MARSHAL = "Runtime.MarshalError"
UNMARSHAL = "Runtime.UnmarshalError"
CLIENT_CONTEXT = "Runtime.LambdaContextUnmarshalError"
IMPORT_MODULE = "Runtime.ImportModuleError"
BUILT_IN_MODULE = "Runtime.BuiltInModuleConflict"
HANDLER_NOT_FOUND = "Runtime.HandlerNotFound"
USER_CODE_SYNTAX = "Runtime.UserCodeSyntaxError"
MALFORMED_HANDLER = "Runtime.MalformedHandlerName"
BEFORE_SNAPSHOT = "Runtime.BeforeSnapshotError"
AFTER_RESTORE = "Runtime.AfterRestoreError"


class Fault(Exception):
    """An error that the runtime itself raises, under one of the names above."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type = error_type
        self.message = message
        self.trace = trace


def error_body(error, request_id=None):
    """The body of a failed invocation or init, keys in this order."""
    if isinstance(error, Fault):
        return _body(error.message, error.error_type, error.trace, request_id)
    trace = traceback.format_list(_without_runtime(traceback.extract_tb(error.__traceback__)))
    return _body(_text_of(error), type(error).__name__, trace, request_id)


def log_lines(body):
    """The body as one log event of several lines, indented by no-break spaces so that viewers keep the indentation."""
    head = "[ERROR]"
    if body["errorType"]:
        head += f" {body['errorType']}"
    if body["errorMessage"]:
        head += (":" if body["errorType"] else "") + f" {body['errorMessage']}"
    lines = [head, "Traceback (most recent call last):"]
    for entry in body["stackTrace"]:
        lines += [_indented(line) for line in entry.splitlines()] if entry else [""]
    return "\n".join(lines)


def _body(message, error_type, trace, request_id):
    return {
        "errorMessage": message or "",
        "errorType": error_type or "",
        "requestId": request_id or "",
        "stackTrace": trace or [],
    }


def _text_of(error):
    try:
        return str(error)
    except Exception:  # its own __str__ is the function's code
        return ""


def _without_runtime(frames):
    """Only those before the function's own: what it calls of the runtime later on stays."""
    for at, frame in enumerate(frames):
        if _OWN_FILES not in frame.filename:
            return frames[at:]
    return frames


def _indented(line):
    stripped = line.lstrip(" ")
    return _NO_BREAK_SPACE * (len(line) - len(stripped)) + stripped
