"""Each upstream fault with its answer."""

from __future__ import annotations

import builtins
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.config import config as mmengine_config
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader

from mmdualhand import compat
from mmdualhand.errors import MissingFileError, MissingPackageError, UnsafeFileError


class Foreign:
    """An object of a foreign class."""


@pytest.fixture(autouse=True)
def _untrusting():
    compat.apply_patches()
    yield
    compat.apply_patches()


def test_plain_data_survives_a_safe_round_trip(tmp_path):
    buffer = HistoryBuffer([1.0, 2.5], [1, 1], max_length=7)
    state = dict(
        hub=dict(loss=buffer, best=np.float64(3.25), ids=np.arange(3), names=np.array(['a'])),
        path=Path('a/b'),
        kept=(np.int64(4), {'x'}),
    )
    torch.save(compat.to_plain(state), tmp_path / 'c.pth')
    loaded = compat.from_plain(torch.load(tmp_path / 'c.pth', weights_only=True))
    restored = loaded['hub']['loss']
    assert isinstance(restored, HistoryBuffer) and restored.max_length == 7
    assert restored.data[0].tolist() == [1.0, 2.5]
    assert loaded['hub']['best'] == 3.25 and loaded['hub']['ids'].tolist() == [0, 1, 2]
    assert loaded['hub']['names'] == ['a'] and loaded['path'] == 'a/b' and loaded['kept'] == (4, ['x'])


def test_text_of_a_config_is_formatted_once(monkeypatch):
    calls = []
    given = mmengine_config.FormatCode.__wrapped__

    def counted(*args, **keys):
        calls.append(1)
        return given(*args, **keys)

    monkeypatch.setattr(mmengine_config, 'FormatCode', counted)
    compat.apply_patches()
    config = Config(dict(a=[1, 2], b=dict(c='x')))
    texts = [config.pretty_text, config.copy().pretty_text]
    config.a = [3]
    texts.append(config.pretty_text)
    assert len(calls) == 2
    monkeypatch.setattr(mmengine_config, 'FormatCode', given)
    assert texts == [Config(dict(a=a, b=dict(c='x'))).pretty_text for a in ([1, 2], [1, 2], [3])]


def test_foreign_global_is_refused_unless_trusted(tmp_path):
    torch.save(dict(state_dict={}, meta=Foreign()), tmp_path / 'c.pth')
    with pytest.raises(UnsafeFileError, match=r'c\.pth.*--trust-checkpoint'):
        CheckpointLoader.load_checkpoint(str(tmp_path / 'c.pth'))
    compat.apply_patches(trust_checkpoints=True)
    assert isinstance(CheckpointLoader.load_checkpoint(str(tmp_path / 'c.pth'))['meta'], Foreign)


def test_bare_pickle_and_missing_file(tmp_path):
    (tmp_path / 'c.pth').write_bytes(pickle.dumps(eval))
    with pytest.raises(UnsafeFileError):
        compat.load_from_local(str(tmp_path / 'c.pth'))
    (tmp_path / 'd.pth').write_bytes(b'')
    with pytest.raises(UnsafeFileError, match='damaged'):
        compat.load_from_local(str(tmp_path / 'd.pth'))
    with pytest.raises(MissingFileError, match=r'none\.pth'):
        compat.load_from_local(str(tmp_path / 'none.pth'))


def test_history_is_capped_at_its_end():
    buffer = HistoryBuffer(list(range(20)), [1] * 20)
    compat.cap_history({'loss': buffer}, 5)
    buffer.update(20)
    assert buffer.data[0].tolist() == [16, 17, 18, 19, 20]


def test_absent_xtcocotools_is_one_sentence(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith('xtcocotools'):
            raise ImportError('no wheel')
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', without)
    with pytest.raises(MissingPackageError, match='xtcocotools.*everything but COCO'):
        compat.import_xtcocotools()
