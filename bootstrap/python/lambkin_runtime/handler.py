"""From the handler string to the function, and the search path on which its module is found."""

import importlib
import os
import sys

from .errors import (
    BUILT_IN_MODULE,
    HANDLER_NOT_FOUND,
    IMPORT_MODULE,
    MALFORMED_HANDLER,
    USER_CODE_SYNTAX,
    Fault,
)


def load_handler(name):
    """Raises `Fault`, or whatever the function's own top-level code raises."""
    try:
        module_name, function_name = (name or "").rsplit(".", 1)
    except ValueError as error:
        raise Fault(MALFORMED_HANDLER, f"Bad handler '{name}': {error}") from None
    module = _import_module(module_name)
    try:
        return getattr(module, function_name)
    except AttributeError:
        message = f"Handler '{function_name}' missing on module '{module_name}'"
        raise Fault(HANDLER_NOT_FOUND, message) from None


def _import_module(name):
    if name.split(".")[0] in sys.builtin_module_names:
        raise Fault(BUILT_IN_MODULE, f"Cannot use built-in module {name} as a handler module")
    try:
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise Fault(IMPORT_MODULE, f"Unable to import module '{name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault(USER_CODE_SYNTAX, f"Syntax error in module '{name}': {error}", trace) from error


def set_search_path(own_dir, layers, standard):
    """The code first, then those of `layers`, PYTHONPATH, the runtime's own folder and the standard library (`standard`)."""
    task_root = os.environ["LAMBDA_TASK_ROOT"]
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    named = [each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each]
    wanted = [
        task_root,
        f"{layers}/python/lib/{version}/site-packages",
        f"{layers}/python",
        *named,
        own_dir,
        *standard,
    ]
    sys.path[:] = list(dict.fromkeys(wanted))


def forget_shadowed(preloaded):
    """A module of the function's that is called as one loaded ahead of it is the one that its imports mean."""
    found = set()
    for folder in sys.path[:3]:
        try:
            found.update(entry.split(".")[0] for entry in os.listdir(folder))
        except OSError:
            continue  # no layer has such a folder
    for shadowed in found & preloaded:
        for name in list(sys.modules):
            if name == shadowed or name.startswith(f"{shadowed}."):
                del sys.modules[name]
