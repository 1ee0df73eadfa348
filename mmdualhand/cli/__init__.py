"""Bodies of the command line tools, one module a command."""

from __future__ import annotations
