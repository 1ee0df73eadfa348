"""The memory-mapped bank: what it keeps, for whom, and who sees it."""

from __future__ import annotations

import json
import os
import pickle
import signal

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from mmdualhand.errors import ConfigError, DataError, MissingFileError
from mmdualhand.pseudo_labels import PseudoLabelBank, rows_of_rank
from mmdualhand.pseudo_labels.bank_file import HEADER_BYTES

IDS = [f'{i:05d}/left' for i in range(6)]


def label(value: float, rows: int = 1) -> np.ndarray:
    """u = value + joint / 100, v = 2 u, d = -u / 1000."""
    u = value + np.arange(21) / 100
    return np.tile(np.stack([u, 2 * u, -u / 1000], axis=-1), (rows, 1, 1)).astype(np.float32)


def fill(bank: PseudoLabelBank, refresh: int, rows, value: float) -> None:
    count = len(rows)
    ids = [IDS[row] for row in rows]
    bank.write(refresh, rows, ids, label(value, count), np.full(count, 0.5), np.full(count, value))


@pytest.fixture
def bank(tmp_path):
    return PseudoLabelBank.create(tmp_path / 'run' / 'labels.bank', 'STB', 6)


def test_rows_come_back_as_they_went_in(bank):
    assert len(bank) == 6 and bank.active is None
    fill(bank, 0, [4, 1], 300.0)
    bank.publish(0)
    rows = bank.read([1, 2, 4], [IDS[1], IDS[2], IDS[4]])
    assert rows.written.tolist() == [True, False, True]
    assert np.array_equal(rows.labels[0], label(300.0)[0]) and rows.labels.dtype == np.float32
    assert not rows.labels[1].any()
    assert rows.weight.tolist() == [0.5, 0.0, 0.5] and rows.confidence.tolist() == [300.0, np.inf, 300.0]
    assert bank.active == 0 and bank.count(0) == 2 and bank.count(1) == 0


def test_weights_of_joints(tmp_path):
    bank = PseudoLabelBank.create(tmp_path / 'a', 'STB', 2, per_joint=True)
    weight = np.linspace(0, 1, 21, dtype=np.float32)[None]
    bank.write(0, [1], IDS[:1], label(1.0), weight, weight + 1)
    bank.publish(0)
    rows = bank.read([0, 1])
    assert rows.weight.shape == (2, 21) and not rows.weight[0].any() and np.isinf(rows.confidence[0]).all()
    assert np.array_equal(rows.weight[1], weight[0]) and np.array_equal(rows.confidence[1], weight[0] + 1)


def test_what_is_not_published_is_not_seen(bank):
    fill(bank, 0, range(6), 1.0)
    assert not bank.read(range(6)).written.any()
    bank.publish(0)
    fill(bank, 1, range(6), 2.0)
    assert bank.read(range(6)).labels[:, 0, 0].tolist() == [1.0] * 6
    bank.publish(1)
    assert bank.read(range(6)).labels[:, 0, 0].tolist() == [2.0] * 6
    assert bank.read([3], refresh=0).labels[0, 0, 0] == 1.0


def test_rows_of_an_older_refresh_do_not_count(bank):
    for refresh in (0, 1):
        fill(bank, refresh, range(6), float(refresh))
    fill(bank, 2, [0, 5], 2.0)
    bank.publish(2)
    assert bank.read(range(6)).written.tolist() == [True, False, False, False, False, True]
    assert [bank.count(refresh) for refresh in range(3)] == [4, 6, 2]
    assert bank.read([1], refresh=1).labels[0, 0, 0] == 1.0
    assert bank.read([0, 1], refresh=0).written.tolist() == [False, True]


def test_a_label_that_is_not_finite_has_weight_zero(bank):
    labels = label(5.0, 2)
    labels[0, 3, 2] = np.nan
    bank.write(0, [0, 1], IDS[:2], labels, np.ones(2), np.ones(2))
    bank.publish(0)
    rows = bank.read([0, 1])
    assert rows.weight.tolist() == [0.0, 1.0] and not rows.labels[0].any() and rows.written.all()


def test_a_killed_writer_leaves_the_refresh_before(tmp_path):
    """Killed while it writes number 1: number 0 is whole, and 1 can be written again."""
    path = tmp_path / 'labels.bank'
    child = os.fork()
    if not child:
        bank = PseudoLabelBank.shared(path, 'STB', 6)
        fill(bank, 0, range(6), 10.0)
        bank.publish(0)
        fill(bank, 1, [0, 1], 20.0)
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    bank = PseudoLabelBank.shared(path, 'STB', 6)
    assert bank.active == 0 and bank.count(0) == 6 and bank.count(1) == 2
    assert bank.read(range(6)).labels[:, 0, 0].tolist() == [10.0] * 6
    fill(bank, 1, range(6), 20.0)
    bank.publish(1)
    assert bank.read(range(6)).labels[:, 0, 0].tolist() == [20.0] * 6


def test_a_new_run_can_ask_for_an_empty_one(bank):
    fill(bank, 0, range(6), 1.0)
    bank.publish(0)
    again = PseudoLabelBank.shared(bank.path, 'STB', 6)
    assert again.active == 0 and again.count(0) == 6
    fresh = PseudoLabelBank.shared(bank.path, 'H3D', 4, fresh=True)
    assert fresh.active is None and fresh.count(0) == 0 and len(fresh) == 4


def test_it_belongs_to_one_dataset(bank):
    for other in (('FreiHAND', 6), ('STB', 7), ('STB', 6, True)):
        with pytest.raises(ConfigError, match=r"labels\.bank holds .*dataset='STB', size=6.*delete it"):
            PseudoLabelBank.shared(bank.path, *other)
    assert len(PseudoLabelBank(bank.path)) == 6


def test_a_row_belongs_to_one_sample(bank):
    fill(bank, 0, [2], 1.0)
    bank.publish(0)
    assert bank.read([2], ['00002/left']).written.all()
    assert not bank.read([3], ['anything']).written.any()
    with pytest.raises(DataError, match=r"row 2 .* another sample than '00003/left'"):
        bank.read([2], ['00003/left'])


def test_creation_is_atomic(tmp_path, monkeypatch):
    path = tmp_path / 'labels.bank'

    def fail(partial, final):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmdualhand.pseudo_labels.bank_file.replace_file', fail)
    with pytest.raises(KeyboardInterrupt):
        PseudoLabelBank.create(path, 'STB', 3)
    assert not path.exists()
    monkeypatch.undo()
    PseudoLabelBank.create(path, 'STB', 3)
    with pytest.raises(ConfigError, match=r'labels\.bank is there already'):
        PseudoLabelBank.create(path, 'STB', 3)
    with pytest.raises(ConfigError, match='at least one row'):
        PseudoLabelBank.create(tmp_path / 'b', 'STB', 0)


def test_files_that_are_no_bank(bank, tmp_path):
    with pytest.raises(MissingFileError, match='none'):
        PseudoLabelBank(tmp_path / 'none')
    for content in (b'', b'\xff\x00' * 4000, b'[1]', b'{"format": "x"}'):
        (tmp_path / 'b').write_bytes(content.ljust(HEADER_BYTES))
        with pytest.raises(DataError, match='is not a bank of pseudo-labels'):
            PseudoLabelBank(tmp_path / 'b')
    whole = bank.path.read_bytes()
    bank.path.write_bytes(whole[:-4])
    with pytest.raises(DataError, match='is cut off'):
        PseudoLabelBank(bank.path)
    header = json.loads(whole[: HEADER_BYTES - 8])
    newer = json.dumps({**header, 'version': 2}).encode().ljust(HEADER_BYTES - 8)
    bank.path.write_bytes(newer + whole[HEADER_BYTES - 8 :])
    with pytest.raises(ConfigError, match='of version 2, this program reads 1'):
        PseudoLabelBank(bank.path)


def test_rows_and_shapes_that_do_not_fit(bank):
    for rows in ([6], [-1], [[0]]):
        with pytest.raises(ValueError, match=r'rows 0\.\.5'):
            bank.read(rows)
    with pytest.raises(ValueError, match='1 rows and 2 sample ids'):
        bank.write(0, [0], IDS[:2], label(1.0), np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match='refresh -1'):
        fill(bank, -1, [0], 1.0)
    with pytest.raises(ValueError, match='reshape'):
        bank.write(0, [0], IDS[:1], label(1.0), np.ones(21), np.ones(21))


def test_pickled_readers_open_the_file_again(bank):
    reader = pickle.loads(pickle.dumps(PseudoLabelBank(bank.path, writable=False)))
    fill(bank, 0, [1], 7.0)
    bank.publish(0)
    assert reader.read([1]).labels[0, 0, 0] == 7.0
    with pytest.raises(ValueError, match='read-only'):
        fill(reader, 0, [1], 8.0)


class Reads(Dataset):
    def __init__(self, bank: PseudoLabelBank) -> None:
        self.bank = bank

    def __len__(self) -> int:
        return 6

    def __getitem__(self, index: int) -> float:
        rows = self.bank.read([index], [IDS[index]])
        return float(rows.labels[0, 0, 0]) * bool(rows.written[0])


@pytest.mark.parametrize('start', ['fork', 'spawn'])
def test_persistent_workers_see_a_later_refresh(bank, start):
    reader = PseudoLabelBank(bank.path, writable=False)
    workers = 1 if start == 'spawn' else 2  # a spawned one imports everything again
    options = dict(num_workers=workers, persistent_workers=True, multiprocessing_context=start)
    loader = DataLoader(Reads(reader), batch_size=3, **options)
    seen = []
    for refresh, value in ((None, 0.0), (0, 3.0), (1, 4.0), (2, 5.0)):
        if refresh is not None:
            fill(bank, refresh, range(6), value)
            bank.publish(refresh)
        seen.append([x for batch in loader for x in batch.tolist()])
    assert seen == [[value] * 6 for value in (0.0, 3.0, 4.0, 5.0)]


def test_one_process_fills_every_row():
    assert list(rows_of_rank(5)) == [0, 1, 2, 3, 4]
