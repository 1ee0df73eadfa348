"""The suites of the paper's tables: what they measure, from what, and what they leave out."""

from __future__ import annotations

import csv
from collections import Counter
from itertools import pairwise, product

import cv2
import numpy as np
import pytest
from matplotlib.figure import Figure

from mmdualhand.apis.experiments import SCALES, get_suite, list_suites, write_tables
from mmdualhand.apis.experiments.configs import training_config
from mmdualhand.apis.experiments.definitions import Training, check_names
from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry, left_out_of, measurements_of
from mmdualhand.apis.experiments.figures import draw_curves, draw_tables
from mmdualhand.apis.experiments.suites import fig4, table4, two_stage, volume
from mmdualhand.apis.experiments.tables import Table, spread
from mmdualhand.apis.experiments.write import tables_heading
from mmdualhand.errors import ConfigError
from mmdualhand.registry import DATASETS
from tests.fixtures.capsule_hand import random_hand
from tests.fixtures.stb_writer import raw_labels, save_labels, write_blank_frames
from tests.test_apis.test_paper_tables import TARGETS, cell, cells

SUITES = ('table1', 'table2', 'table3', 'table4', 'fig4', 'volume')


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    monkeypatch.setenv('HAND_DATA', str(tmp_path))


def test_they_are_found():
    assert set(SUITES) < set(list_suites())


@pytest.mark.parametrize('name', SUITES)
@pytest.mark.parametrize('scale', SCALES)
def test_every_measurement_can_be_planned(name, scale):
    """Configs are read, chains are whole, no two things have one name; cells of both stages are shared."""
    found = get_suite(name).measurements(scale, 1)
    check_names([*found, *two_stage.measurements(scale, 1)])
    assert len({one.file_name for one in found}) == len(found)
    assert {one.training.seed for one in found} == {1} and {one.root_depth for one in found} == {'given'}
    prefix = SCALES[scale]
    assert {one.benchmark for one in found} <= {f'{prefix}finetune_{target}' for target in TARGETS}


@pytest.mark.parametrize('scale', SCALES)
def test_the_six_rows_of_table_4(scale):
    prefix = SCALES[scale]
    found = table4.measurements(scale, 0)
    stage1 = dict.fromkeys(('rd', 'rdf'), 4)
    with_bn = dict.fromkeys(('baseline', 'pretrain', 'source_only'), 8)
    stage2 = {f'{kind}_{target}': 1 for kind in ('ft_l', 'finetune') for target in TARGETS}
    assert Counter(one.training.name for one in found) == {**stage1, **with_bn, **stage2}
    trainings = {one.training.name: one.training for one in found}
    for target in TARGETS:
        assert (
            trainings[f'ft_l_{target}'].start
            == trainings[f'finetune_{target}'].start
            == trainings['pretrain']
        )
    start = Training('init_rgb', f'{prefix}init_rgb') if prefix else None
    assert {trainings[name].start for name in ('baseline', 'rd', 'rdf', 'pretrain')} == {start}


@pytest.mark.parametrize('name', ['table1', 'table2', 'table4', 'fig4', 'volume'])
def test_tables_of_stage_2_have_the_controls(name):
    found = get_suite(name).measurements('mini', 0)
    place = f'mini/finetune_{fig4.TARGET if name == "fig4" else "h3d"}'
    controls = {(m.training.name, m.reestimate_bn) for m in found if m.benchmark == place}
    assert {(entry.row.training, entry.reestimate_bn) for entry in CONTROL_ENTRIES} <= controls


def test_what_has_no_config_is_left_out_with_a_sentence():
    entries = [Entry('Mine', 'compared/mine_{}'), Entry('Baseline', 'ablation/r_rhd')]
    assert left_out_of(entries, 'mini', TARGETS) == [
        'Mine is left out: there is no config mini/compared/mine_TARGET yet.'
    ]
    half = Entry('Half', 'finetune_{}')
    assert left_out_of([half], 'mini', (*TARGETS, 'ge_real')) == []


def test_a_row_of_a_file_is_found_by_scale_and_target(tmp_path, monkeypatch):
    """A file is relative to the working folder; its training has one name at all scales."""
    monkeypatch.chdir(tmp_path)
    for scale in ('mini', 'small'):
        (tmp_path / scale).mkdir()
        base = f"_base_ = ['mmdualhand::{scale}/finetune_h3d']"
        (tmp_path / scale / f'own_{scale}_h3d.py').write_text(base)
    entry = Entry('Own', '{scale}/own_{scale}_{}.py')
    for scale in ('mini', 'small'):
        (found,) = measurements_of([entry], scale, 2)
        assert found.file_name == f'own_h3d_s2--{scale}_finetune_h3d.json'
        assert found.training.config == str(tmp_path / scale / f'own_{scale}_h3d.py')
        assert found.training.start.config == f'{scale}/pretrain_rhd'
        assert entry.row.training.format('h3d') == found.training.name
    assert measurements_of([entry], 'full', 2) == []
    assert entry.absent('full', 'h3d') == str(tmp_path / 'full' / 'own_full_h3d.py')


def test_changed_options_need_a_name():
    """Else the training would have the cells of the config as it is."""
    options = (('train_cfg.max_epochs', 1),)
    with pytest.raises(ConfigError, match='Mine has options: give its training a name'):
        measurements_of([Entry('Mine', 'finetune_{}', options=options)], 'mini', 0)
    found = measurements_of([Entry('Mine', 'finetune_{}', training='one_{}', options=options)], 'mini', 0)
    assert [one.training.name for one in found] == [f'one_{target}' for target in TARGETS]
    assert {one.training.options for one in found} == {options}


def test_volume_parts_take_the_same_steps():
    found = {one.training.name: one.training for one in volume.measurements('mini', 0)}
    whole = training_config(found['finetune_stb'])
    for percent in (5, 25, 50):
        cfg = training_config(found[f'volume{percent}_stb'])
        assert cfg.train_dataloader.streams.target.dataset.pop('real_fraction') == percent / 100
        assert cfg.train_cfg.pop('epoch_length') == 'whole'  # tests/test_engine/test_fixed_epochs.py
        for part in ('train_dataloader', 'train_cfg', 'param_scheduler', 'model', 'default_hooks'):
            assert cfg[part] == whole[part]
        assert found[f'volume{percent}_stb'].start == found['finetune_stb'].start
    assert whole.train_dataloader.streams.target.dataset.get('real_fraction') is None


def test_volume_at_full_scale_has_the_full_training_sets():
    """FreiHAND and MVHand are cut to 15,000 in the paper's tables; 100 % is all of them here."""
    found = {one.training.name: one.training for one in volume.measurements('full', 0)}
    assert set(found) >= {'volume100_freihand', 'volume100_mvhand', 'finetune_freihand', 'volume5_freihand'}
    assert 'volume100_stb' not in found
    for name, subset in (('volume100_freihand', None), ('volume25_mvhand', None), ('finetune_mvhand', 15000)):
        assert training_config(found[name]).train_dataloader.streams.target.dataset.num_subset == subset
    table = volume.tables(
        [cell('finetune_stb', 0, 'stb', 1.0), cell('volume100_mvhand', 0, 'mvhand', 2.0)], 'full'
    )
    (head, values), *_ = (row for row in table[0].rows if row[0] == '100 %')
    assert head and [None if v is None else v.mean for v in values[:4]] == [1.0, None, None, 2.0]
    assert [row[0] for row in table[0].rows] == ['100 %'] and len(table[0].columns) == 5  # no paper columns


def test_volume_table():
    some = [cell(f'volume{p}_{t}', 0, t, 30.0 - p / 10) for p in (5, 50) for t in TARGETS]
    epe, pck = volume.tables([*some, *cells((0,))], 'mini')
    rows = {head: [v and v.mean for v in values] for head, values in epe.rows}
    assert rows['5 %'] == [29.5] * 5 and rows['50 %'] == [25.0] * 5
    assert rows['100 %'][:4] == [20.0, 20.0, 20.0, 30.0] and list(rows)[-1] == '(ii) source only'
    assert pck.best == 'max' and epe.best == 'min'


CURVE = dict(thresholds_mm=[0.0, 10.0, 20.0, 30.0, 40.0, 50.0, 80.0], pck=[0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 1.0])


def stb(training, seed, epe, shift):
    curve = {**CURVE, 'pck': [min(share + shift, 1.0) for share in CURVE['pck']]}
    one = cell(training, seed, 'stb', epe, curve3d=curve)
    return {**one, 'metrics': {**one['metrics'], 'AUC': 0.5 + shift}}


def test_figure_4():
    """Known values, the convention of STB, and no 2D method."""
    some = [
        stb('baseline', 0, 30.0, 0.0),
        stb('finetune_stb', 0, 20.0, 0.1),
        stb('finetune_stb', 1, 22.0, 0.2),
    ]
    (table,) = fig4.tables(some, 'mini')
    assert 'the labels have the centre of the palm: wrist = 2 palm - ring MCP' in table.title
    rows = {head: [v and round(v.mean, 6) for v in values] for head, values in table.rows}
    assert rows == {
        'Baseline': [0.5, 30.0, 0.4, 0.5, 0.6, 0.7],
        'Ours': [0.65, 21.0, 0.55, 0.65, 0.75, 0.85],
    }
    assert not [entry for entry in fig4.ENTRIES if 'regda' in entry.config or 'ccssl' in entry.config]


def test_files_of_a_suite(tmp_path):
    """Markdown, CSV, LaTeX, a picture, and a line for every cell; no partial file is left."""
    written = write_tables('table4', 'mini', cells(), 'Head.', tmp_path)
    assert written.text == (tmp_path / 'table4.md').read_text() and written.text.startswith(
        'Head.\n\nTable 4'
    )
    assert '| baseline | 0 | hash-of-baseline | abc | 8 |' in written.text
    assert r'\begin{tabular}' in (tmp_path / 'table4.tex').read_text()
    lines = list(csv.DictReader((tmp_path / 'table4_cells.csv').open()))
    assert len(lines) == len(cells())
    assert (lines[0]['training'], lines[0]['EPE'], lines[0]['origin_hash']) == (
        'baseline',
        '40.0',
        'baseline0stb',
    )
    assert {line['precision'] for line in lines} == {'bf16'}  # cells that do not say it are of bfloat16
    picture = cv2.imread(str(tmp_path / 'table4.png'))
    assert picture.std() > 5 and picture.shape[1] > 600  # something is drawn, five panels wide
    names = {'table4.md', 'table4.csv', 'table4.tex', 'table4_cells.csv', 'table4.png'}
    assert {file.name for file in tmp_path.iterdir()} == names
    again = (tmp_path / 'table4.png').read_bytes()
    write_tables('table4', 'mini', cells(), 'Head.', tmp_path)
    assert (tmp_path / 'table4.png').read_bytes() == again


@pytest.fixture
def drawn(monkeypatch):
    """The figures that are saved, to look into them."""
    found, save = [], Figure.savefig

    def keep(figure, *args, **kwargs):
        found.append(figure)
        return save(figure, *args, **kwargs)

    monkeypatch.setattr(Figure, 'savefig', keep)
    return found


def marks(panel):
    """Of every line of a panel: its mark and whether that is filled."""
    dots = [one for one in panel.lines if one.get_marker() in ('o', 'D')]
    return {
        round(one.get_ydata()[0]): (one.get_marker(), one.get_markerfacecolor() != 'white') for one in dots
    }


def test_pictures_mark_few_seeds_and_fill_the_best(tmp_path, drawn):
    """Ours has two seeds, 20 and 22, the baseline 40 and 44; a row above it 20.5 of seed 0 alone."""
    some = [*cells(), *(cell(f'ft_l_{target}', 0, target, 20.5) for target in TARGETS)]
    write_tables('table4', 'mini', some, 'Head.', tmp_path)
    (part,) = drawn[0].subfigs
    assert part.get_suptitle() == (
        'Table 4: ablation, each row adds to the one above it, EPE (embedded data, scale mini, seeds 0, 1)'
    )
    names = [label.get_text() for label in part.axes[0].get_yticklabels()]
    assert names == ['M(y_R)', '+L_l', '+L_d', '(i) baseline, BN re-estimated', '(ii) source only']
    stb, mvhand = marks(part.axes[0]), marks(part.axes[3])
    assert stb == {0: ('o', False), 1: ('D', False), 2: ('o', True), 3: ('o', False), 4: ('o', False)}
    assert (mvhand[1], mvhand[2]) == (('D', True), ('o', False))  # ours has 30 there
    assert part.get_supxlabel() == (
        'EPE, mm; lower is better; filled: best method on the seeds that all of a panel have; '
        'grey: controls; bars: standard deviation of the seeds; diamonds: 1 of 2 seeds'
    )


def test_a_lone_method_is_not_called_the_best(tmp_path, drawn):
    write_tables('volume', 'mini', cells((0,)), 'Head.', tmp_path)
    parts = drawn[0].subfigs
    assert [part.get_suptitle().split(' (')[0] for part in parts] == [
        'Volume: share of the unlabelled training images, EPE',
        'Volume: share of the unlabelled training images, PCK@0.05',
    ]
    assert marks(parts[0].axes[0])[0] == ('o', False)
    assert parts[0].get_supxlabel() == 'EPE, mm; lower is better; grey: controls'


def test_titles_and_notes_fit_into_a_picture(tmp_path, drawn):
    """Lines that are too long for it are broken: none comes near the edges, where they were cut."""
    words = ' '.join(['a long sentence about joint 0'] * 6)
    draw_curves({'One': ([0.0, 50.0], [0.0, 1.0])}, words, tmp_path / 'curves.png', words)
    picture = cv2.imread(str(tmp_path / 'curves.png'))
    assert (picture[:, :5] == 255).all() and (picture[:, -5:] == 255).all()
    for text in (drawn[0].get_suptitle(), drawn[0].get_supxlabel()):
        assert '\n' in text and text.replace('\n', ' ') == words
    best = Table('t', f'{words}. More.', ('a',), (('row', (spread([1.0]),)),), best='min', unit='mm')
    draw_tables([best], tmp_path / 'table.png')
    picture = cv2.imread(str(tmp_path / 'table.png'))
    assert (picture[:, :5] == 255).all() and (picture[:, -5:] == 255).all()
    assert drawn[1].subfigs[0].get_suptitle().replace('\n', ' ') == words


def test_curves_say_of_how_many_seeds_they_are(tmp_path, drawn):
    some = [stb('baseline', seed, 30.0, 0.1 * seed) for seed in (0, 1)] + [stb('finetune_stb', 0, 20.0, 0.1)]
    write_tables('fig4', 'mini', some, 'Head.', tmp_path)
    (axis,) = drawn[0].axes
    assert [text.get_text() for text in axis.get_legend().get_texts()] == [
        'Baseline (AUC 0.550)',
        'Ours (AUC 0.600, n=1)',
    ]
    assert drawn[0].get_suptitle() == 'Figure 4: STB, 3D PCK (embedded data, scale mini, seeds 0, 1)'
    note = drawn[0].get_supxlabel().replace('\n', ' ')
    assert 'Joint 0, where the labels have the centre of the palm: wrist = 2 palm - ring MCP.' in note
    assert note.endswith('n: fewer seeds than the others, not to be ranked with them.')
    assert axis.lines[0].get_ydata()[2] == pytest.approx(0.45)  # 0.4 and 0.5 within 20 mm


def test_a_picture_of_other_cells_does_not_stay(tmp_path):
    """Where the new tables have nothing to draw, an old picture would look like theirs."""
    write_tables('fig4', 'mini', [stb('baseline', 0, 30.0, 0.0)], 'Head.', tmp_path)
    assert (tmp_path / 'fig4.png').is_file()
    controls = [stb('source_only', 0, 30.0, 0.0)]
    written = write_tables('fig4', 'mini', controls, 'Head.', tmp_path)
    assert [file.name for file in written.others] == ['fig4.tex', 'fig4_cells.csv']
    assert not (tmp_path / 'fig4.png').exists()
    assert {file.name for file in tmp_path.iterdir()} == {'fig4.md', 'fig4.csv', 'fig4.tex', 'fig4_cells.csv'}
    (tmp_path / 'two_stage.png').write_bytes(b'mine')  # this suite draws nothing: that is not its own
    write_tables('two_stage', 'mini', [], 'Head.', tmp_path)
    assert (tmp_path / 'two_stage.png').read_bytes() == b'mine'


def test_the_head_names_precisions_where_they_differ():
    old, new = cells()[0], dict(cells()[1], precision='fp32')
    assert 'Precision' not in tables_heading('make', [old, old], wanted=2)
    last = tables_heading('make', [old, new, old], wanted=3).splitlines()[-1]
    assert last == 'Precision of the trainings, and how many cells: bf16 (2), fp32 (1).'


def test_a_picture_of_curves_and_a_suite_without_one(tmp_path):
    some = [stb('baseline', 0, 30.0, 0.0), stb('finetune_stb', 0, 20.0, 0.1)]
    write_tables('fig4', 'mini', some, 'Head.', tmp_path)
    picture = cv2.imread(str(tmp_path / 'fig4.png'))
    colours = {tuple(colour) for colour in picture.reshape(-1, 3)[::7].tolist()}
    assert {(0xA0, 0x94, 0x8A), (0xC0, 0x74, 0x2F)} <= colours  # both lines, BGR
    full = [dict(cell('baseline', 0, 'stb', 1.0), **dict.fromkeys(
        ('steps', 'seconds', 'cpu_seconds', 'chain_seconds', 'chain_cpu_seconds'), 1))]  # fmt: skip
    written = write_tables('two_stage', 'mini', full, 'Head.', tmp_path)
    assert [file.name for file in written.others] == ['two_stage.tex', 'two_stage_cells.csv']


PARTS = ('volume5_{}', 'volume25_{}', 'volume50_{}')


def target_data(training):
    """Config of the unlabelled images of a training."""
    return dict(training_config(training).train_dataloader.streams.target.dataset)


def sample_ids(training):
    """Names of these images; no picture is read."""
    dataset = DATASETS.build({**target_data(training), 'pipeline': [], 'num_checked': 0})
    return {dataset.labels_only(place)['sample_id'] for place in range(len(dataset))}


def test_parts_of_a_target_lie_in_larger_ones(tmp_path):
    """By the names of the frames that the config of each part takes of a set in the layout of STB.

    Other targets are drawn from alike: their parts differ in the share alone, with the same seed.
    """
    hand = random_hand(np.random.default_rng(0), 'left', np.array([10.0, -20.0, 550.0])).joints
    for number, kind in product(range(2, 7), ('Counting', 'Random')):
        labels = raw_labels(np.stack([hand] * 12))
        save_labels(tmp_path / 'STB' / 'labels' / f'B{number}{kind}_SK.mat', labels)
        write_blank_frames(tmp_path / 'STB', f'B{number}{kind}', 12, 'SK_color_{}.png')
    found = {one.training.name: one.training for one in volume.measurements('full', 0)}
    parts = [sample_ids(found[name.format('stb')]) for name in (*PARTS, 'finetune_{}')]
    assert [len(part) for part in parts] == [6, 30, 60, 120]
    assert all(part < larger for part, larger in pairwise(parts))
    for target in TARGETS:
        whole = target_data(found.get(f'volume100_{target}', found[f'finetune_{target}']))
        assert 'fraction_seed' not in whole
        for name, share in zip(PARTS, volume.FRACTIONS, strict=True):
            part = target_data(found[name.format(target)])
            assert part == {**whole, 'real_fraction': share}, target
