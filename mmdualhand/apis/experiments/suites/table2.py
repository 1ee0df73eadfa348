"""Table 2 of the paper: 3D keypoints, EPE, SemiHand and its variants with depth, with the controls."""

from __future__ import annotations

from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry
from mmdualhand.apis.experiments.paper_suite import PaperSuite
from mmdualhand.apis.experiments.paper_tables import PaperTable

SUITE = PaperSuite(
    (
        PaperTable(
            'table2',
            'Table 2: 3D keypoint estimation',
            'EPE',
            (
                Entry('Baseline', 'ablation/r_rhd', (19.66, 21.56, 27.77, 21.21)),
                Entry('SemiHand', 'compared/semihand_{}', (14.60, 19.33, 19.19, 19.75)),
                Entry('+DM weak labels', 'compared/semihand_dm_weak_{}', (13.74, 18.71, 19.02, 18.95)),
                Entry('+DM encoder', 'compared/semihand_dm_encoder_{}', (13.17, 18.32, 18.65, 18.53)),
                Entry('Ours', 'finetune_{}', (11.99, 15.61, 17.08, 16.45), ours=True),
                *CONTROL_ENTRIES,
                Entry('SemiHand: its stage 1, source alone', 'compared/semihand_stage1', control=True),
            ),
            improvement=True,
            legend=(
                "The paper's SemiHand has a network of its own, a stacked hourglass on 64 pixels; here all "
                'rows have the common network.'
            ),
        ),
    )
)
measurements, left_out = SUITE.measurements, SUITE.left_out
tables, notes, draw = SUITE.tables, SUITE.notes, SUITE.draw
