"""Table 1 of the paper: 2D keypoints, PCK@0.05, of all methods that adapt to a target, with the controls."""

from __future__ import annotations

from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry
from mmdualhand.apis.experiments.paper_suite import PaperSuite
from mmdualhand.apis.experiments.paper_tables import PaperTable

_STAGE_1 = tuple(
    Entry(f'{head}: its stage 1, source alone', f'compared/{name}_stage1', control=True)
    for head, name in (
        ('RegDA', 'regda_res101'),
        ('CC-SSL', 'ccssl_res101'),
        ('AnimalDA', 'animalda_res101'),
        ('SemiHand', 'semihand'),
    )
)
"""Networks that a method has adapted, before they see a target: other baselines than that of the table."""
SUITE = PaperSuite(
    (
        PaperTable(
            'table1',
            'Table 1: 2D keypoint detection',
            'PCK@0.05',
            (
                Entry('Baseline', 'ablation/r_rhd', (0.547, 0.511, 0.555, 0.515)),
                Entry('RegDA', 'compared/regda_res101_{}', (0.613, 0.622, 0.720, 0.601)),
                Entry('CC-SSL', 'compared/ccssl_res101_{}', (0.655, 0.631, 0.717, 0.602)),
                Entry('AnimalDA', 'compared/animalda_res101_{}', (0.631, 0.629, 0.676, 0.640)),
                Entry('SemiHand', 'compared/semihand_{}', (0.668, 0.564, 0.672, 0.563)),
                Entry('Ours', 'finetune_{}', (0.775, 0.658, 0.749, 0.689), ours=True),
                *CONTROL_ENTRIES,
                *_STAGE_1,
            ),
            improvement=True,
            legend=(
                'All methods have the same encoder, and deconvolutions of the same widths. The heads differ: '
                'RegDA, CC-SSL and AnimalDA have heat maps and the others the 2.5D head; that of RegDA has a '
                'convolution more, that of AnimalDA refines the maps. The rows of the paper have different '
                'networks.'
            ),
        ),
    )
)
measurements, left_out = SUITE.measurements, SUITE.left_out
tables, notes, draw = SUITE.tables, SUITE.notes, SUITE.draw
