"""Boot, wait for the function, load it, then loop."""

import json
import os
import site
import sys
import time

from .errors import error_body
from .frames import FrameReader, FrameWriter
from .handler import forget_shadowed, load_handler, set_search_path
from .logs import UNHANDLED, CurrentInvocation, Logger
from .loop import InvokeLoop
from .marshal import to_json
from .output import replace_streams
from .peak import Peak
from .snapshots import Snapshots

_CONTROL_FD = 3
_INIT_FAILED_STATUS = 1
#: Where the service has Python.
_INSTALLATION = "/var/lang"


def run():
    """Does not return: the process ends inside."""
    own_dir, standard = sys.path[0], list(sys.path[1:])
    preloaded = _preload()
    reader = FrameReader(_CONTROL_FD)
    writer = FrameWriter(_CONTROL_FD)
    peak = Peak()
    # Child processes are started without it: they must not speak for the runtime.
    os.set_inheritable(_CONTROL_FD, False)
    writer.up(peak.kib())
    kind, body = reader.next()
    if kind != b"S":
        os._exit(0)  # a slot that was never needed

    specialise = json.loads(body)
    withdrawn_up_to = _open_withdrawn(specialise["withdrawnFile"])
    if not specialise.get("keepsEnvironment"):
        _replace_environment(specialise["env"])
    _show_installation()
    set_search_path(own_dir, specialise["optDir"], standard)
    forget_shadowed(preloaded)
    os.register_at_fork(after_in_child=writer.forked)
    replace_streams(writer)
    invocation = CurrentInvocation()
    logger = Logger(writer, invocation)
    logger.install()
    handler = _init(writer, logger, peak)
    snapshots = Snapshots(writer, logger, peak)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        snapshots.before()
    loop = InvokeLoop(
        reader, writer, logger, invocation, handler, peak, withdrawn_up_to, snapshots.after
    )
    writer.ready(peak.kib())
    loop.run()


def _preload():
    """Loads what most functions import, ahead of them; the top-level names that came in by it."""
    # Builtins that interactive users know and scripts rely on; the rest of `site` would bring in packages of this machine.
    site.setquit()
    site.setcopyright()
    site.sethelper()
    before = set(sys.modules)
    import asyncio  # noqa: F401
    import base64  # noqa: F401
    import collections.abc  # noqa: F401
    import concurrent.futures  # noqa: F401
    import dataclasses  # noqa: F401
    import datetime  # noqa: F401
    import hashlib  # noqa: F401
    import logging  # noqa: F401
    import random  # noqa: F401
    import typing  # noqa: F401
    import urllib.parse  # noqa: F401
    import urllib.request  # noqa: F401

    return {name.split(".")[0] for name in set(sys.modules) - before} - set(sys.builtin_module_names)


def _init(writer, logger, peak):
    """The handler; ends the process when it cannot be had."""
    try:
        os.chdir(os.environ["LAMBDA_TASK_ROOT"])
        return load_handler(os.environ.get("_HANDLER"))
    except Exception as error:
        import logging

        logging.warning(UNHANDLED)
        body = error_body(error)
        logger.failure(body)
        writer.init_failed(peak.kib(), body["errorType"], to_json(body).encode("utf-8", "replace"))
        sys.exit(_INIT_FAILED_STATUS)


def _replace_environment(env):
    os.environ.clear()
    os.environ.update(env)
    time.tzset()


def _show_installation():
    """Without a mount view the installation is not where the service has it; child processes must find it all the same."""
    if sys.base_prefix == _INSTALLATION:
        return
    for name in ("PATH", "LD_LIBRARY_PATH"):
        if name in os.environ:
            parts = os.environ[name].split(os.pathsep)
            os.environ[name] = os.pathsep.join(_place_of(part) for part in parts)


def _place_of(path):
    if not path.startswith(f"{_INSTALLATION}/"):
        return path
    return sys.base_prefix + path[len(_INSTALLATION) :]


def _open_withdrawn(file):
    """A function that reads the number up to which prefetched events are withdrawn: one positioned read."""
    fd = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    pread = os.pread

    def up_to():
        data = pread(fd, 8, 0)
        # Never shorter: a number that is half read could let an event begin that somebody else runs by now.
        if len(data) != 8:
            raise EOFError(f"{file} is cut short")
        return int.from_bytes(data, "little")

    return up_to
