"""Same as ``mmdualhand convert-to-coco``; see ``--help``."""

import sys

from mmdualhand.cli.main import run

if __name__ == '__main__':
    sys.exit(run('convert-to-coco'))
