"""Table 3 of the paper: EPE after pre-training on the source alone, for several ways to pre-train."""

from __future__ import annotations

from mmdualhand.apis.experiments.entries import Entry
from mmdualhand.apis.experiments.paper_suite import PaperSuite
from mmdualhand.apis.experiments.paper_tables import PaperTable

SUITE = PaperSuite(
    (
        PaperTable(
            'table3',
            'Table 3: pre-training strategies, common network',
            'EPE',
            (
                Entry('Baseline', 'ablation/r_rhd', (19.66, 21.56, 27.77, 21.21)),
                Entry('l1 alignment', 'compared/l1_align_rhd', (16.38, 21.58, 26.00, 21.58)),
                Entry('Intra-CL', 'compared/intra_cl_rhd', (17.32, 19.95, 26.33, 20.40)),
                Entry('Intra-/inter-CL', 'compared/intra_inter_cl_rhd', (18.01, 19.49, 26.61, 19.71)),
                Entry('Ours, pre-trained', 'pretrain_rhd', (16.37, 19.19, 25.94, 19.62), ours=True),
            ),
        ),
        PaperTable(
            'table3_res50',
            'Table 3, last rows: the smaller network, ResNet-50 at full scale',
            'EPE',
            (
                Entry('Baseline, smaller', 'compared/baseline_res50_rhd', (20.47, 23.57, 34.42, 23.84)),
                Entry('PeCLR, smaller', 'compared/peclr_res50_rhd', (18.84, 22.17, 31.69, 21.96)),
                Entry(
                    'Ours, pre-trained, smaller',
                    'compared/pretrain_res50_rhd',
                    (17.73, 19.94, 26.91, 20.65),
                    ours=True,
                ),
            ),
        ),
    )
)
measurements, left_out = SUITE.measurements, SUITE.left_out
tables, notes, draw = SUITE.tables, SUITE.notes, SUITE.draw
