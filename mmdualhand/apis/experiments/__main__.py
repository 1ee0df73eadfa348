"""One process of an experiment: ``python -m mmdualhand.apis.experiments FILE PARENT``.

FILE is what :func:`mmdualhand.apis.experiments.job.write_job` wrote, PARENT the process to end with.
"""

import sys

from mmdualhand.apis.experiments.job import main

if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
