"""The context object that a handler gets."""

import json
import logging
import os
from time import time

from .errors import CLIENT_CONTEXT, Fault


class CognitoIdentity:
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self):
        self.cognito_identity_id = None
        self.cognito_identity_pool_id = None

    def __repr__(self):
        return _shown(self, self.__slots__)


class Client:
    __slots__ = (
        "installation_id",
        "app_title",
        "app_version_name",
        "app_version_code",
        "app_package_name",
    )

    def __repr__(self):
        return _shown(self, self.__slots__)


class ClientContext:
    __slots__ = ("custom", "env", "client")

    def __repr__(self):
        return _shown(self, self.__slots__)


class LambdaContext:
    """What one invocation knows of itself."""

    def __init__(self, invoke_id, deadline_ms, invoked_function_arn, client_context, tenant_id):
        self.aws_request_id = invoke_id
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = invoked_function_arn
        self.tenant_id = tenant_id
        self.client_context = _client_context(client_context)
        self.identity = CognitoIdentity()
        self._epoch_deadline_time_in_ms = deadline_ms

    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time() * 1000))

    def log(self, msg):
        """Writes the text as it is, past format and level of the logger."""
        for handler in logging.getLogger().handlers:
            write = getattr(handler, "write_raw", None)
            if write is not None:
                write(str(msg))

    def __repr__(self):
        return _shown(
            self,
            (
                "aws_request_id",
                "log_group_name",
                "log_stream_name",
                "function_name",
                "memory_limit_in_mb",
                "function_version",
                "invoked_function_arn",
                "client_context",
                "identity",
                "tenant_id",
            ),
        )


def _client_context(text):
    if text is None:
        return None
    try:
        source = json.loads(text)
        context = _filled(ClientContext, source)
        if context is not None and context.client is not None:
            context.client = _filled(Client, context.client)
        return context
    except Exception as error:
        raise Fault(CLIENT_CONTEXT, f"Unable to parse Client Context JSON: {error}") from error


def _filled(kind, source):
    """An object with its slots from a dict; keys that are no slots are dropped."""
    if source is None:
        return None
    filled = kind()
    for name in kind.__slots__:
        setattr(filled, name, source.get(name))
    return filled


def _shown(value, names):
    inside = ",".join(f"{name}={getattr(value, name, None)}" for name in names)
    return f"{type(value).__name__}([{inside}])"
