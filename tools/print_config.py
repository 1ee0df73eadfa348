"""Print a config with its bases merged; see ``mmdualhand print-config --help``."""

from __future__ import annotations

import sys

from mmdualhand.cli.main import run

if __name__ == '__main__':
    sys.exit(run('print-config'))
