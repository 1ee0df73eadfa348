"""Write model-index.yml and the metafiles of configs/ anew, from the configs: run it after adding one."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mmdualhand.apis.model_index import write_index  # noqa: E402

if __name__ == '__main__':
    for file in write_index(ROOT):
        print(file.relative_to(ROOT))
