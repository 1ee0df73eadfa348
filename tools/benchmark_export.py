"""Same as ``mmdualhand benchmark-export``; see ``--help``."""

import sys

from mmdualhand.cli.main import run

if __name__ == '__main__':
    sys.exit(run('benchmark-export'))
