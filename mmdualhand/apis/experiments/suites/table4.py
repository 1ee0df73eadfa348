"""Table 4 of the paper: EPE of the six steps from the RGB baseline to the whole method, with the controls."""

from __future__ import annotations

from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry
from mmdualhand.apis.experiments.paper_suite import PaperSuite
from mmdualhand.apis.experiments.paper_tables import PaperTable

SUITE = PaperSuite(
    (
        PaperTable(
            'table4',
            'Table 4: ablation, each row adds to the one above it',
            'EPE',
            (
                Entry('M(y_R)', 'ablation/r_rhd', (19.66, 21.56, 27.77, 21.21)),
                Entry('+M(y_D)', 'ablation/rd_rhd', (17.83, 20.14, 26.56, 20.30)),
                Entry('+M(y_F)', 'ablation/rdf_rhd', (16.92, 19.69, 26.27, 19.91)),
                Entry('+L_c', 'pretrain_rhd', (16.37, 19.19, 25.94, 19.62)),
                Entry('+L_l', 'ablation/ft_l_{}', (12.59, 16.27, 17.45, 16.91)),
                Entry('+L_d', 'finetune_{}', (11.99, 15.61, 17.08, 16.45), ours=True),
                *CONTROL_ENTRIES,
            ),
            steps=True,
            legend='The rows +L_l and +L_d are stage 2, which sees the target; the controls are for them.',
        ),
    )
)
measurements, left_out = SUITE.measurements, SUITE.left_out
tables, notes, draw = SUITE.tables, SUITE.notes, SUITE.draw
