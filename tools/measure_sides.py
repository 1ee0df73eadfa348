"""Same as ``mmdualhand measure-sides``; see ``--help``."""

import sys

from mmdualhand.cli.main import run

if __name__ == '__main__':
    sys.exit(run('measure-sides'))
