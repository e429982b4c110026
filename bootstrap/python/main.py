"""Entry of the Python bootstrap; what it does is in the package beside it."""

from lambkin_runtime.boot import run

run()
