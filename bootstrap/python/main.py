"""Entry of the Python bootstrap; what it does is in the package beside it."""

import sys

# Without a mount view nothing but this keeps Python from writing into the host's own folder.
_given = sys.dont_write_bytecode
sys.dont_write_bytecode = True
from lambkin_runtime.boot import run  # noqa: E402

sys.dont_write_bytecode = _given
run()
