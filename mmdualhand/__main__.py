"""``python -m mmdualhand`` is the console command ``mmdualhand``."""

from __future__ import annotations

import sys

from mmdualhand.cli.main import main

if __name__ == '__main__':
    sys.exit(main())
