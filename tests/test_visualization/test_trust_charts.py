"""The reliability diagram and the risk-coverage curves as one picture."""

from __future__ import annotations

import cv2
import numpy as np

from mmdualhand.evaluation import reliability_bins, risk_coverage
from mmdualhand.visualization.trust_charts import draw_trust


def test_a_better_ranking_draws_a_lower_curve(tmp_path) -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(3000)
    wrong = rng.random(3000) >= confidence
    heights = {}
    for name, score in (('good', confidence), ('random', rng.random(3000))):
        path = tmp_path / 'folder' / f'{name}.png'
        draw_trust({name: reliability_bins(score, ~wrong)}, {name: risk_coverage(score, wrong)}, path)
        picture = cv2.imread(str(path)).astype(int)
        right = picture[:, picture.shape[1] // 2 :]
        # matplotlib's first colour, #1f77b4, in BGR; the curve lies in the lower part of its panel.
        drawn = (np.abs(right - (0xB4, 0x77, 0x1F)).sum(-1) < 60).nonzero()[0]
        heights[name] = np.percentile(drawn, 75)
    assert heights['good'] > heights['random'] + 20
