"""The console command, the lazy top of the package and the configs by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mmdualhand
from mmdualhand.apis import model_zoo
from mmdualhand.cli import main as command
from mmdualhand.cli.config_origin import trace
from mmdualhand.cli.print_config import main as print_config
from mmdualhand.errors import ConfigError, MissingFileError

ROOT = Path(__file__).resolve().parents[2]

BASE = """optim_wrapper = dict(
    type='OptimWrapper',
    optimizer=dict(
        type='Adam',
        lr=1e-3,
    ),
)
steps = [dict(type='A'), dict(type='B', x=3)]
hooks = dict(save=dict(rule='less', interval=1))
"""
LEAF = """_base_ = ['_base_/base.py']
rate = 2.5e-4
optim_wrapper = dict(optimizer=dict(lr=rate))
hooks = dict(save=dict(_delete_=True, rule='greater'))
val = dict(steps=_base_.steps)
"""


@pytest.fixture
def leaf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / '_base_').mkdir()
    (tmp_path / '_base_' / 'base.py').write_text(BASE)
    (tmp_path / 'leaf.py').write_text(LEAF)
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'leaf.py'


def places(leaf: Path, key: str) -> list[tuple[str, int]]:
    return [(origin.file.name, origin.line) for origin in trace(leaf, tuple(key.split('.')))]


@pytest.mark.parametrize(
    ('key', 'expected'),
    [
        ('optim_wrapper.optimizer.lr', [('leaf.py', 2), ('base.py', 5)]),
        ('optim_wrapper.type', [('base.py', 2)]),
        ('val.steps.1.x', [('leaf.py', 5), ('base.py', 8)]),
        ('steps.0.type', [('base.py', 8)]),
        ('hooks.save.rule', [('leaf.py', 4), ('base.py', 9)]),
        ('hooks.save.interval', []),
        ('nothing', []),
    ],
)
def test_trace(leaf: Path, key: str, expected: list[tuple[str, int]]) -> None:
    assert places(leaf, key) == expected


def test_trace_follows_later_assignments(tmp_path: Path) -> None:
    file = tmp_path / 'a.py'
    file.write_text("a = dict(b=1, c=2)\na['b'] = 3\nroot = '{{$HAND_DATA:data}}/x'\nn = {{$N:2}}\n")
    assert places(file, 'a.b') == [('a.py', 2)]
    assert places(file, 'a.c') == [('a.py', 1)]
    assert places(file, 'n') == [('a.py', 4)]


def test_trace_of_parts_that_are_merged(tmp_path: Path) -> None:
    """A part of one base that is merged into a key of another sets the keys that it has, and no others."""
    (tmp_path / 'net.py').write_text('model = dict(head=dict(size=1),\n    depth=2)\n')
    (tmp_path / 'parts.py').write_text("parts = dict(model=dict(loss='l1'),\n    head=dict(size=3))\n")
    leaf = tmp_path / 'leaf.py'
    bases = "_base_ = ['net.py', 'parts.py']\n"
    leaf.write_text(bases + 'model = dict(head=_base_.parts.head,\n    **_base_.parts.model)\n')
    assert places(leaf, 'model.head.size') == [('leaf.py', 2), ('parts.py', 2), ('net.py', 1)]
    assert places(leaf, 'model.loss') == [('leaf.py', 3), ('parts.py', 1)]
    assert places(leaf, 'model.depth') == [('net.py', 2)]
    leaf.write_text(bases + 'model = _base_.parts.model\n')
    assert places(leaf, 'model.loss') == [('leaf.py', 2), ('parts.py', 1)]
    assert places(leaf, 'model.head.size') == [('net.py', 1)]


def test_where_a_name_of_the_same_file_has_not_the_key(leaf: Path) -> None:
    """``val = test = dict(...)`` over a base: keys that the dictionary has not are the base's."""
    (leaf.parent / '_base_' / 'photos.py').write_text('test = dict(size=4, data=dict(root=1))\nval = test\n')
    leaf.write_text("_base_ = ['_base_/photos.py']\ntest = dict(data=dict(root=2))\nval = test\n")
    assert places(leaf, 'val.size') == [('photos.py', 1)]
    assert places(leaf, 'val.data.root')[0] == ('leaf.py', 2)


def test_where_a_list_is_put_together(leaf: Path) -> None:
    """Positions in the merged list are not those of ``[*first, more]``: the line stands for all of it."""
    (leaf.parent / '_base_' / 'photos.py').write_text('steps = [dict(type=1), dict(type=2)]\n')
    leaf.write_text(
        "_base_ = ['_base_/photos.py']\nsteps = [\n    *_base_.steps,\n    dict(type=3),\n]\n"
    )
    assert places(leaf, 'steps.1.type')[0] == ('leaf.py', 2)


def test_print_config_where(leaf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_config([str(leaf), '--where', 'optim_wrapper.optimizer.lr']) == 0
    assert capsys.readouterr().out.splitlines() == [
        'optim_wrapper.optimizer.lr = 0.00025',
        '  set by leaf.py:2: rate = 2.5e-4',
        '  before _base_/base.py:5: lr=1e-3,',
    ]
    options = ['--cfg-options', 'optim_wrapper.optimizer.lr=0.5']
    assert print_config([str(leaf), *options, '--where', 'optim_wrapper.optimizer.lr']) == 0
    assert capsys.readouterr().out.splitlines()[:2] == [
        'optim_wrapper.optimizer.lr = 0.5',
        '  set by --cfg-options',
    ]


def test_print_config_whole(leaf: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert print_config([str(leaf)]) == 0
    namespace: dict[str, object] = {}
    exec(capsys.readouterr().out, namespace)
    assert namespace['hooks'] == {'save': {'rule': 'greater'}}


def test_print_config_unknown_key(leaf: Path) -> None:
    with pytest.raises(ConfigError, match=r"no key 'optim_wraper'.*optim_wrapper"):
        print_config([str(leaf), '--where', 'optim_wraper.optimizer'])


def test_missing_base_is_named(leaf: Path) -> None:
    (leaf.parent / '_base_' / 'base.py').unlink()
    with pytest.raises(MissingFileError, match=r'leaf\.py names a base that is not there'):
        model_zoo.get_config(leaf)


def test_a_shipped_config_as_base_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / 'mine.py'
    file.write_text("_base_ = ['mmdualhand::pretrain_rhd']\nexperiment_name = 'mine'\n")
    shipped, mine = mmdualhand.get_config('pretrain_rhd'), mmdualhand.get_config(file)
    assert mine.pop('experiment_name') == 'mine'
    assert mine.to_dict() == shipped.to_dict()
    assert print_config([str(file), '--where', 'model.type']) == 0
    assert 'configs/' in capsys.readouterr().out


def test_config_path_forms(leaf: Path, tmp_path: Path) -> None:
    shipped = ROOT / 'configs' / 'pretrain_rhd.py'
    for name in ('pretrain_rhd', 'pretrain_rhd.py', 'configs/pretrain_rhd.py'):
        assert mmdualhand.config_path(name) == shipped
    assert mmdualhand.config_path('leaf.py') == leaf
    with pytest.raises(ConfigError, match=r"Did you mean 'pretrain_rhd'"):
        mmdualhand.config_path('pretrain_rdh')


def test_list_models_pattern() -> None:
    names = mmdualhand.list_models()
    assert names == sorted(names) and not [name for name in names if '_base_' in name]
    assert mmdualhand.list_models('benchmarks/*') == [n for n in names if n.startswith('benchmarks/')]
    assert mmdualhand.list_models('no such name') == []


def test_import_is_cheap() -> None:
    code = (
        'import sys, mmdualhand; mmdualhand.list_models(); '
        'print([m for m in ("torch", "mmengine", "cv2", "numpy") if m in sys.modules])'
    )
    result = subprocess.run([sys.executable, '-c', code], cwd=ROOT, capture_output=True, text=True)
    assert result.stdout.strip() == '[]', result.stderr


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match='no attribute'):
        _ = mmdualhand.no_such_name


def test_every_command_has_a_module() -> None:
    for name in command.COMMANDS:
        module = name.replace('-', '_')
        assert (ROOT / 'mmdualhand' / 'cli' / f'{module}.py').is_file(), name
        assert (ROOT / 'tools' / f'{module}.py').is_file(), name


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(['--version']) == 0
    assert capsys.readouterr().out == f'mmdualhand {mmdualhand.__version__}\n'
    assert command.main(['--help']) == 0
    help_text = capsys.readouterr().out
    assert all(name in help_text for name in command.COMMANDS)
    assert command.main([]) == 2
    capsys.readouterr()
    assert command.main(['tran']) == 2
    assert capsys.readouterr().err == "mmdualhand: 'tran' is not a command; did you mean 'train'?\n"


def test_user_error_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(['print-config', 'pretrain_rdh']) == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith("mmdualhand print-config: 'pretrain_rdh' is neither")
