"""Tables of the paper by hand: numbers beside the paper's, gains, order, and the files."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from math import nan
from pathlib import Path

import pytest

from mmdualhand.apis.experiments import get_suite, latex_text, markdown_text
from mmdualhand.apis.experiments.comparison import SharedSeeds
from mmdualhand.apis.experiments.data_kind import data_name, data_words, kinds_of
from mmdualhand.apis.experiments.entries import CONTROL_ENTRIES, Entry
from mmdualhand.apis.experiments.paper_suite import provenance
from mmdualhand.apis.experiments.paper_tables import PaperTable
from mmdualhand.apis.experiments.results import CellIndex, Row, read_cells
from mmdualhand.apis.experiments.suites import table1, table2, table3, table4
from mmdualhand.apis.experiments.tables import Spread, Table, csv_text, quoted

TARGETS = ('stb', 'freihand', 'h3d', 'mvhand')
TABLE = PaperTable(
    'mine',
    'Mine',
    'EPE',
    (
        Entry('Baseline', 'ablation/r_rhd', (20.0, 20.0, 20.0, 20.0)),
        Entry('Other', 'controls/source_only', (10.0, 12.0, 10.0, 10.0)),
        Entry('Ours', 'finetune_{}', (9.0, 9.0, 9.0, 11.0), ours=True),
        *CONTROL_ENTRIES[:1],
    ),
    improvement=True,
    steps=True,
)


def cell(training, seed, target, epe, **more):
    record = dict(training=training, seed=seed, benchmark=f'mini/finetune_{target}', commit='abc')
    origin = dict(hash=f'{training}{seed}{target}', training=f'hash-of-{training}', data={'SET': 'note'})
    return {**record, 'metrics': {'EPE': epe, 'PCK@0.05': 1 - epe / 100}, 'origin': origin, **more}


def cells(seeds=(0, 1)):
    """EPE of seed 0: baseline 40, other 25, ours 20 (30 on MVHand), control 24; a tenth more with seed 1."""
    found = []
    for seed in seeds:
        for target in TARGETS:
            values = {'baseline': 40.0, 'source_only': 25.0, f'finetune_{target}': 20.0}
            if target == 'mvhand':
                values['finetune_mvhand'] = 30.0
            found += [cell(name, seed, target, v * (1 + seed / 10)) for name, v in values.items()]
            found.append(cell('baseline', seed, target, 24.0 * (1 + seed / 10), reestimate_bn=True))
    return found


def rows(table):
    return {line.split(' | ')[0][2:]: line for line in markdown_text(table).splitlines() if ' | ' in line}


def test_rows_by_hand():
    table, steps = TABLE.build(cells(), 'mini')
    found = rows(table)
    assert found['Baseline'].startswith('| Baseline | 42.00 +- 2.83 | 42.00 +- 2.83 |')
    assert found['Ours'] == (
        '| Ours | **21.00 +- 1.41** | **21.00 +- 1.41** | **21.00 +- 1.41** | 31.50 +- 2.12 '
        '| **23.62 +- 1.59** | **9.00** | **9.00** | **9.00** | 11.00 |'
    )
    assert found['Other'].endswith('| 10.00 | 12.00 | 10.00 | **10.00** |')
    assert found['(i) baseline, BN re-estimated'].endswith('25.20 +- 1.70 | - | - | - | - |')
    # (25 - 20) / 25 and (25 - 30) / 25; the paper's (10 - 9) / 10, (12 - 9) / 12; control (24 - 20) / 24.
    assert found['Improvement over the best other method'] == (
        '| Improvement over the best other method | +20.0 +- 0.0 % | +20.0 +- 0.0 % | +20.0 +- 0.0 % '
        '| -20.0 +- 0.0 % | - | +10.0 % | +25.0 % | +10.0 % | -10.0 % |'
    )
    assert '| +16.7 +- 0.0 % |' in found['Improvement over the best control']
    assert 'embedded data, whose hands are rendered; scale mini; ' in table.title
    assert 'seeds [0, 1]' in table.title and 'share:' not in table.legend  # all rows have both
    # Gains of a row over the one before it: 40 - 25 and 44 - 27.5.
    assert rows(steps)['Other'].startswith('| Other | 15.75 +- 1.06 |')
    assert rows(steps)['Ours'].endswith('| 1.00 | 3.00 | 1.00 | -1.00 |')


def test_the_order_of_the_paper_is_compared():
    legend = TABLE.build(cells((0,)), 'mini')[0].legend
    assert 'STB 3 of 3. FreiHAND 3 of 3. H3D 3 of 3. MVHand 3 of 3.' in legend
    turned = [c for c in cells((0,)) if c['training'] != 'finetune_stb']
    turned.append(cell('finetune_stb', 0, 'stb', 26.0))
    assert 'STB 2 of 3, not Other / Ours. ' in TABLE.build(turned, 'mini')[0].legend
    assert '(i) batch normalisation' in legend and 'the last one.' in legend


def test_nothing_is_gained_over_what_was_not_measured():
    """The missing one may be the best: no improvement is shown until it is there."""
    missing = [
        c for c in cells((0,)) if (c['training'], c['benchmark']) != ('source_only', 'mini/finetune_h3d')
    ]
    found = rows(TABLE.build(missing, 'mini')[0])
    assert found['Improvement over the best other method'].startswith(
        '| Improvement over the best other method | +20.0 % | +20.0 % | - | -20.0 % |'
    )
    assert '| 25.00 | 25.00 | - | **25.00** | - |' in found['Other']
    # A method without a config cannot be measured, and does not keep the others from being compared.
    entries = (*TABLE.entries, Entry('Unwritten', 'compared/unwritten_{}', (1.0, 1.0, 1.0, 1.0)))
    found = rows(replace(TABLE, entries=entries).build(cells((0,)), 'mini')[0])
    assert 'Unwritten' not in found
    assert found['Improvement over the best other method'].split(' | ')[1] == '+20.0 %'


def other_on(seeds, epe, targets=TARGETS):
    """The cells by hand, with ``epe`` for the other method, on some seeds alone."""
    kept = [
        c
        for c in cells()
        if c['training'] != 'source_only' or c['benchmark'].removeprefix('mini/finetune_') not in targets
    ]
    return [*kept, *(cell('source_only', seed, target, epe) for seed in seeds for target in targets)]


def test_rows_of_other_seeds_are_compared_on_those_that_all_have():
    """Ours is 20 with seed 0 and 22 with seed 1; another method of 20.5 with seed 0 alone is not better."""
    table = TABLE.build(other_on([0], 20.5), 'mini')[0]
    found = rows(table)
    assert found['Ours'].startswith('| Ours | **21.00 +- 1.41** | ')  # shown as it was
    assert found['Other'].startswith('| Other | 20.50 (n=1) | 20.50 (n=1) | 20.50 (n=1) | **20.50 (n=1)** | ')
    # (20.5 - 20) / 20.5 and (20.5 - 30) / 20.5, of seed 0.
    assert found['Improvement over the best other method'].startswith(
        '| Improvement over the best other method | +2.4 % (n=1) | +2.4 % (n=1) | +2.4 % (n=1) '
        '| -46.3 % (n=1) | - |'
    )
    assert '| +16.7 +- 0.0 % |' in found['Improvement over the best control']  # these have both seeds
    assert 'STB 3 of 3. FreiHAND 3 of 3. H3D 3 of 3. MVHand 3 of 3.' in table.legend
    assert (
        'they are compared (bold, order of the paper, improvement) on those that all methods of a column '
        'share: seed 0. On these seeds, column by column: Baseline 40.00, 40.00, 40.00, 40.00, 40.00; '
        'Ours 20.00, 20.00, 20.00, 30.00, 22.50. Pairs'
    ) in table.legend


def test_the_legend_says_it_column_by_column():
    legend = TABLE.build(other_on([1], 20.5, ['h3d']), 'mini')[0].legend
    assert (
        'share: STB seeds 0, 1; FreiHAND seeds 0, 1; H3D seed 1; MVHand seeds 0, 1; mean of targets seed 1. '
    ) in legend


def test_rows_without_a_common_seed_are_not_compared():
    some = [c for c in other_on([1], 1.0) if c['seed'] == 0 or c['training'] == 'source_only']
    table = TABLE.build(some, 'mini')[0]
    found = rows(table)
    measured = [found[head].split(' | ')[1:6] for head in ('Baseline', 'Other', 'Ours')]
    assert measured[1] == ['1.00 (n=1)'] * 5 and not any('**' in text for row in measured for text in row)
    assert 'Improvement over the best other method' not in found
    assert 'Pairs of methods' not in table.legend
    assert 'share: none.' in table.legend and 'improvement' not in table.legend
    assert found['Ours'].endswith('| **9.00** | **9.00** | **9.00** | 11.00 |')  # of the paper: as ever


def test_the_best_control_is_chosen_on_shared_seeds():
    """Of two controls, the one that is best on the average of its seeds is not so on the shared one."""
    table = replace(TABLE, entries=(*TABLE.entries, CONTROL_ENTRIES[1]))
    more = [cell('pretrain', 0, target, 24.5, reestimate_bn=True) for target in TARGETS]
    built = table.build([*cells(), *more], 'mini')[0]
    # Controls of 24 and 26.4, whose mean is 25.2, and of 24.5: (24 - 20) / 24 of seed 0.
    assert rows(built)['Improvement over the best control'].split(' | ')[1] == '+16.7 % (n=1)'
    assert 'For the best control, ours and all controls share: seed 0.' in built.legend
    assert 'they are compared' not in built.legend  # the methods have both


def test_shared_seeds_by_hand():
    one, two, none = Row('One', 'one'), Row('Two', 'two'), Row('None', 'none')
    values = {('one', 0): 1.0, ('one', 1): 3.0, ('one', 2): nan, ('two', 1): 5.0, ('two', 2): 7.0}
    found = CellIndex(cell(name, seed, 'stb', value) for (name, seed), value in values.items())
    shared = SharedSeeds(found, [one, two, none], 'EPE')
    assert shared.seeds == ((1, 2), (), (), (), ())
    assert shared.by_seed(two, 0) == {1: 5.0, 2: 7.0} and shared.by_seed(none, 0) == {}
    assert shared.value(two, 0) == Spread(6.0, 2.0**0.5, 2) and shared.value(none, 0) is None
    assert shared.value(one, 0).number == 2 and shared.known(one, 0) is None  # no number in seed 2
    assert shared.known(two, 0) == 6.0 and shared.known(two, 1) is None
    assert shared.fewer(['STB', 'FreiHAND'], [0, 1, 2]) == 'seeds 1, 2'
    assert shared.fewer(['STB'], [1, 2]) == '' and SharedSeeds(found, [one], 'EPE').fewer(['STB'], [5]) == ''


def on_data(**kinds):
    """Cells of the baseline on targets of a kind each: None is published."""
    return [
        cell('baseline', seed, target, 1.0, origin={'data': {'SET': note}})
        for target, notes in kinds.items()
        for seed, note in enumerate(notes)
    ]


def test_the_title_says_what_the_data_were():
    """It is that of the cells: whoever runs scale full on embedded data has not measured published ones."""
    title = TABLE.build(cells(), 'full')[0].title
    assert 'embedded data, whose hands are rendered; scale full; ' in title and 'published' not in title
    assert '; published data; scale small; ' in TABLE.build(on_data(stb=[None]), 'small')[0].title
    mixed = on_data(stb=['note'], freihand=[None], h3d=['note', None])
    words = 'mixed data (STB embedded, FreiHAND published, H3D embedded and published)'
    assert f'; {words}; scale full; ' in TABLE.build(mixed, 'full')[0].title
    assert TABLE.build(mixed, 'full')[0].short == 'Mine, EPE (mixed data, scale full, seeds 0, 1)'
    unknown = [cell('baseline', 0, 'stb', 1.0, origin={})]
    assert data_words(unknown) == data_name(unknown) == data_name([]) == 'unknown data'


@pytest.mark.parametrize(('benchmark', 'kind'), [('stb', 'embedded'), ('ge_real', 'published')])
def test_real_cells_say_what_their_data_were(benchmark, kind):
    folder = Path(__file__).resolve().parents[2] / 'results' / 'small'
    record = json.loads((folder / f'baseline_s0--small_finetune_{benchmark}.json').read_text())
    (found,) = read_cells([record])
    assert kinds_of(found) == {kind}
    assert data_name([record]) == ('embedded data' if kind == 'embedded' else 'unknown data')  # no target


def test_nothing_measured_is_no_table():
    assert TABLE.build([], 'mini') == [] and table1.tables([], 'mini') == []


@pytest.mark.parametrize(
    ('suite', 'printed'), [(table1, (16.0, 4.3, 4.0, 7.7)), (table2, (9.0, 14.8, 8.4, 11.2))]
)
def test_numbers_of_the_paper_give_its_improvement_row(suite, printed):
    """A digit that was copied wrong shows here: the paper prints these four."""
    (part,) = suite.SUITE.parts
    methods = [entry for entry in part.entries if not entry.control]
    (ours,) = (entry for entry in methods if entry.ours)
    others = [entry for entry in methods if not entry.ours]
    found = [part._paper_gain(ours, others, place) for place in range(4)]
    assert [round(value, 1) for value in found] == list(printed)


def test_numbers_of_the_paper_agree_between_its_tables():
    """Table 4 begins with the baseline of Tables 2 and 3, has a row of Table 3, and ends as Table 2."""

    def of(suite, head, part=0):
        return next(e.paper for e in suite.SUITE.parts[part].entries if e.head == head)

    assert of(table4, 'M(y_R)') == of(table3, 'Baseline') == of(table2, 'Baseline')
    assert of(table4, '+L_c') == of(table3, 'Ours, pre-trained')
    assert of(table4, '+L_d') == of(table2, 'Ours')
    # Every step of the paper's Table 4 gains on every target.
    steps = [e.paper for e in table4.SUITE.parts[0].entries if not e.control]
    assert all(
        a > b
        for above, below in zip(steps, steps[1:], strict=False)
        for a, b in zip(above, below, strict=True)
    )
    assert of(table3, 'PeCLR, smaller', 1) == (18.84, 22.17, 31.69, 21.96)


def test_quoted_numbers_have_no_seeds():
    assert quoted(None) is None
    table = TABLE.build(cells(), 'mini')[0]
    assert 'mine,Ours,STB (paper),EPE,9,,0' in csv_text([table]).splitlines()
    assert table.text('Ours', quoted(1.0)) == '1.00'
    assert table.text('Ours', Spread(1.0, 0.0, 1)) == '1.00 (n=1)'


def test_latex_by_hand():
    text = latex_text(TABLE.build(cells(), 'mini'))
    assert text.count(r'\begin{table*}') == text.count(r'\end{table*}') == 2
    lines = text.splitlines()
    assert lines[0] == r'% \usepackage{booktabs,graphicx}'
    assert lines[4] == r'\caption{Mine, EPE (embedded data, scale mini, seeds 0, 1)}'
    assert lines[6] == r'\resizebox{\ifdim\width>\textwidth\textwidth\else\width\fi}{!}{%'
    assert r'\begin{tabular}{lrrrrrrrrr}' in lines
    assert r' & \multicolumn{5}{c}{} & \multicolumn{4}{c}{paper} \\' in lines
    ours = next(line for line in lines if line.startswith('Ours &'))
    assert ours.startswith(r'Ours & \textbf{21.00 $\pm$ 1.41} & ') and ours.endswith(r'& 11.00 \\')
    assert r'+20.0 $\pm$ 0.0 \%' in text and '+-' not in text
    heads = latex_text([replace(TABLE.build(cells(), 'mini')[0], rows=(('M(y_R) 5 % & more', ()),))])
    assert r'M(y\_R) 5 \% \& more & ' in heads


def test_what_made_the_numbers():
    text = provenance([*cells(), cell('baseline', 0, 'stb', 1.0, commit='def', root_depth='solve')])
    assert '| baseline | 0 | hash-of-baseline | abc, def | 9 |' in text
    assert '| finetune_stb | 1 | hash-of-finetune_stb | abc | 1 |' in text


@pytest.mark.parametrize('name', ['table1', 'table2', 'table3', 'table4', 'fig4', 'volume'])
def test_captions_in_latex_are_short_and_nothing_is_lost(name, monkeypatch, tmp_path):
    monkeypatch.setenv('HAND_DATA', str(tmp_path))
    tables = get_suite(name).tables(cells(), 'mini')
    text = latex_text(tables)
    captions = re.findall(r'\\caption\{(.*)\}', text)
    assert len(captions) == len(tables) == len(set(captions)) and max(map(len, captions)) < 120
    notes = re.findall(r'\\parbox\{\\textwidth\}\{\\footnotesize (.*)\}', text)
    assert len(notes) == len(tables)
    for table, caption, note in zip(tables, captions, notes, strict=True):
        assert 'embedded data, scale mini, seeds 0, 1)' in caption
        assert 'the seeds [0, 1]' in note and note.endswith(table.legend.split()[-1] if table.legend else '.')
    assert text.count('{') == text.count('}')


def test_a_table_without_a_short_title_has_its_first_sentence_as_a_caption():
    table = Table('t', 'What it is. In mm; low is good.', ('a',), (('row', (quoted(1.0),)),), legend='Below.')
    assert (table.caption, table.notes) == ('What it is', 'In mm; low is good. Below.')
    assert r'\parbox{\textwidth}{\footnotesize In mm; low is good. Below.}' in latex_text([table])
    assert r'\parbox' not in latex_text([replace(table, title='What it is', legend='')])


def test_metrics_in_the_csv():
    main, steps = TABLE.build(cells((0,)), 'mini')
    lines = csv_text([main, steps]).splitlines()
    assert lines[0] == 'table,row,column,metric,mean,std,seeds'
    assert 'mine,Ours,STB,EPE,20,,1' in lines  # the spread of one seed is not known
    assert 'mine,Improvement over the best other method,STB,"EPE, gain in %",20,,1' in lines
    assert 'mine_steps,Ours,STB,EPE,5,,1' in lines
    assert Table('t', 'T', ('a',), ()).metric('row', 0) == ''


def test_legends_name_the_rows_and_what_is_common():
    """The last rows of Table 4 are controls, and +L_l need not be there."""
    some = [c for c in cells((0,)) if not c['training'].startswith('ft_l')]
    table = table4.tables(some, 'mini')[0]
    assert table.rows[-1][0] == '(ii) source only'
    assert table.legend.startswith('The rows +L_l and +L_d are stage 2') and 'last two' not in table.legend
    legend = table1.tables(some, 'mini')[0].legend
    assert 'same encoder, and deconvolutions of the same widths. The heads differ' in legend
    assert 'common network' not in legend
