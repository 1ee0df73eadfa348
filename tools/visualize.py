"""Same as ``mmdualhand visualize``; see ``--help``."""

import sys

from mmdualhand.cli.main import run

if __name__ == '__main__':
    sys.exit(run('visualize'))
