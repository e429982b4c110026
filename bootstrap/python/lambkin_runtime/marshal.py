"""Events and results: JSON as the service's runtime reads and writes it."""

import json
import re
from decimal import Decimal
from uuid import uuid4

from .errors import MARSHAL, UNMARSHAL, Fault


class NotJson(Exception):
    """The payload is no JSON text, which is the caller's fault."""


def read_event(payload):
    """Raises `NotJson`; `Fault` for what is JSON but more than Python reads (numbers of thousands of digits, endless nesting)."""
    try:
        return json.loads(payload.decode("utf-8", "surrogatepass"), parse_constant=_no_constant)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from None
    except Exception as error:
        raise Fault(UNMARSHAL, f"Unable to unmarshal input: {error}") from error


def write_result(result, ensure_ascii):
    """Bytes as they are, anything else as JSON. Raises `Fault`."""
    if isinstance(result, bytes):
        return result
    try:
        return to_json(result, ensure_ascii).encode("utf-8", "surrogatepass")
    except Exception as error:
        raise Fault(MARSHAL, f"Unable to marshal response: {error}") from error


def to_json(value, ensure_ascii=False):
    """JSON text; a Decimal is written as the number it is."""
    numbers = _Numbers()
    text = json.dumps(value, ensure_ascii=ensure_ascii, default=numbers.placeholder)
    return numbers.put_into(text)


class _Numbers:
    """The encoder writes floats only by their own repr, so a Decimal travels as a string that nobody else can have written."""

    def __init__(self):
        self._mark = None

    def placeholder(self, value):
        if not isinstance(value, Decimal):
            raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
        if self._mark is None:
            self._mark = uuid4().hex
        return f"{self._mark}:{value}"

    def put_into(self, text):
        if self._mark is None:
            return text
        return re.sub(f'"{self._mark}:([^"]*)"', r"\1", text)


def _no_constant(name):
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)
