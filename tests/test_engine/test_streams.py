"""Numbers through streams: what comes when, where it begins again, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import ConcatDataset, DataLoader, IterableDataset

from mmdualhand.datasets import RHDDataset
from mmdualhand.engine import StreamLoader, stream_configs
from mmdualhand.engine.streams import stream_seed
from mmdualhand.errors import ConfigError
from tests.fixtures.stream_run import NumberDataset


def plain(count: int, batch: int, **options) -> DataLoader:
    return DataLoader(range(count), batch_size=batch, **options)


def shuffled(count: int, batch: int, seed: int = 0, **options) -> DataLoader:
    dataset = NumberDataset(size=count)
    return DataLoader(dataset, batch, sampler=DefaultSampler(dataset, seed=seed), **options)


def epoch(loader: StreamLoader, number: int, seed: int = 0) -> list[dict]:
    loader.set_epoch(number, seed)
    return [{name: batch.tolist() for name, batch in step.items()} for step in loader]


def test_the_driver_gives_the_epoch_and_the_others_go_round():
    loader = StreamLoader({'source': plain(7, 3), 'target': plain(4, 2)}, driver='target')
    assert len(loader) == 2 and loader.batch_size == 2
    assert epoch(loader, 0) == [
        {'source': [0, 1, 2], 'target': [0, 1]},
        {'source': [3, 4, 5], 'target': [2, 3]},
    ]
    # the pass ends with the short batch [6] and the next begins
    assert [step['source'] for step in epoch(loader, 1)] == [[6], [0, 1, 2]]
    assert [step['source'] for step in epoch(loader, 2)] == [[3, 4, 5], [6]]


def test_a_stream_may_go_round_several_times_in_an_epoch():
    loader = StreamLoader({'source': plain(3, 2, drop_last=True), 'target': plain(3, 1)}, driver='target')
    assert [step['source'] for step in epoch(loader, 0)] == [[0, 1]] * 3


def test_every_pass_has_an_order_and_numbers_of_its_own():
    loader = StreamLoader({'source': shuffled(6, 2), 'target': shuffled(6, 3)}, driver='target')
    passes = {}
    for number in range(6):
        for step, batches in enumerate(epoch(loader, number, seed=9)):
            passes.setdefault((2 * number + step) // 3, []).extend(batches['source'])
    assert all(sorted(row for row, _ in values) == list(range(6)) for values in passes.values())
    assert len({tuple(row for row, _ in values) for values in passes.values()}) > 2
    for number, values in passes.items():
        for row, drawn in values:
            expected = np.random.default_rng([stream_seed(9, 'source'), number, int(row)]).uniform()
            assert drawn == expected


@pytest.mark.parametrize('workers', [0, 1, 2])
def test_any_epoch_can_be_asked_for_first(workers):
    """What a resumed run sees is what the undisturbed one saw, whatever the number of workers."""

    def fresh(count: int) -> StreamLoader:
        options = dict(num_workers=count, persistent_workers=count > 0)
        return StreamLoader(
            {'source': shuffled(10, 3, drop_last=True, **options), 'target': shuffled(8, 2)}, 'target'
        )

    through = fresh(0)
    expected = [epoch(through, number) for number in range(4)]
    later = fresh(workers)
    assert epoch(later, 2) == expected[2]
    assert epoch(later, 3) == expected[3]
    assert epoch(later, 1) == expected[1]


def test_torch_is_not_asked_for_numbers():
    loader = StreamLoader({'source': shuffled(6, 2), 'target': shuffled(4, 2)}, driver='target')
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    for number in range(3):
        epoch(loader, number)
    assert torch.equal(torch.rand(2), expected)


def test_nothing_is_read_ahead_over_the_end_of_an_epoch():
    """A worker that read ahead would have read the value of the epoch before."""
    dataset = NumberDataset(size=9)
    shared = torch.zeros(1).share_memory_()
    dataset.__class__ = type('Told', (NumberDataset,), {'__getitem__': lambda self, index: shared.clone()})
    source = DataLoader(dataset, 1, num_workers=2, persistent_workers=True)
    loader = StreamLoader({'source': source, 'target': plain(2, 1)}, driver='target')
    for number in range(4):
        shared.fill_(number)
        assert [step['source'] for step in epoch(loader, number)] == [[[number]]] * 2


def test_an_epoch_left_in_the_middle_can_be_given_again():
    options = dict(num_workers=1, persistent_workers=True)
    loader = StreamLoader({'source': shuffled(6, 2, **options), 'target': plain(3, 1)}, driver='target')
    whole = epoch(loader, 1)
    for _ in loader:
        break
    assert epoch(loader, 1) == whole


def test_what_the_runner_and_its_hooks_look_for():
    one, other = NumberDataset('a', 4), NumberDataset('b', 6)
    loader = StreamLoader({'source': DataLoader(other, 2), 'target': DataLoader(one, 2)}, driver='target')
    assert loader.dataset.metainfo == dict(
        dataset_name='a', streams=dict(source=dict(dataset_name='b'), target=dict(dataset_name='a'))
    )
    assert len(loader.dataset) == 4 and loader.dataset.streams == dict(source=other, target=one)
    loader.dataset.set_epoch(3, seed=7)
    first = [step['source'].tolist() for step in loader]
    loader.sampler.set_epoch(3)
    assert [step['source'].tolist() for step in loader] == first
    assert one.clock.tolist() == [stream_seed(7, 'target'), 3]


def test_joined_datasets_are_told_their_pass():
    parts = [NumberDataset(size=2), NumberDataset(size=3)]
    loader = StreamLoader({'target': DataLoader(ConcatDataset(parts), 5)}, driver='target')
    epoch(loader, 4, seed=1)
    assert [part.clock.tolist() for part in parts] == [[stream_seed(1, 'target'), 4]] * 2


def test_hand_datasets_draw_from_seed_pass_and_index(rhd_root):
    def record(results):
        return dict(index=results['sample_index'], drawn=results['rng'].uniform())

    def hands() -> DataLoader:
        dataset = RHDDataset(rhd_root, split='evaluation', pipeline=[record], num_samples=3)
        return DataLoader(dataset, 2, num_workers=1, persistent_workers=True)

    loader = StreamLoader({'source': hands(), 'target': hands()}, driver='target')
    for number in (5, 6):
        for name in ('source', 'target'):
            loader.set_epoch(number, 11)
            for step in loader:
                pairs = zip(step[name]['index'].tolist(), step[name]['drawn'].tolist(), strict=True)
                for index, drawn in pairs:
                    seeds = [stream_seed(11, name), number, index]
                    assert drawn == np.random.default_rng(seeds).uniform()


class Endless:
    """A sampler that says 3 and never ends."""

    def set_epoch(self, epoch):
        pass

    def __len__(self):
        return 3

    def __iter__(self):
        while True:
            yield 0


class Numbers(IterableDataset):
    def __iter__(self):
        return iter(range(3))


@pytest.mark.parametrize(
    ('loader', 'message'),
    [
        (plain(3, 4, drop_last=True), r'streams\.source gives no batch: 3 rows .*batch_size=3 or less'),
        (plain(3, 2, sampler=InfiniteSampler(range(3), seed=0)), 'InfiniteSampler has no passes'),
        (plain(3, 2, shuffle=True), 'the order of RandomSampler cannot be repeated.*DefaultSampler'),
        (DataLoader(Numbers(), batch_size=2), 'a dataset of known length'),
        (plain(3, None), 'a batch_size'),
    ],
    ids=['short', 'infinite', 'unrepeatable', 'iterable', 'unbatched'],
)
def test_loaders_that_cannot_be_streams(loader, message):
    with pytest.raises(ConfigError, match=message):
        StreamLoader({'source': loader, 'target': plain(4, 2)}, driver='target')


@pytest.mark.parametrize('driver', ['source', 'target'])
def test_a_sampler_that_does_not_end_is_found_out(driver):
    loader = StreamLoader({'source': plain(3, 1, sampler=Endless()), 'target': plain(4, 1)}, driver=driver)
    with pytest.raises(ConfigError, match=r'streams\.source: its sampler gives more batches than the 3'):
        for number in range(3):
            epoch(loader, number)


def test_no_such_driver():
    with pytest.raises(ConfigError, match=r"driver must name .*\['source'\], got 'target'"):
        StreamLoader({'source': plain(3, 1)}, driver='target')


def test_common_keys_are_filled_in():
    common = dict(batch_size=4, num_workers=2, persistent_workers=True, prefetch_factor=4)
    source = dict(dataset=dict(type='A'), batch_size=8)
    target = dict(dataset=dict(type='B'), num_workers=0, sampler=dict(type='S'))
    merged = stream_configs(dict(driver='target', streams=dict(source=source, target=target), **common))
    default = dict(type='DefaultSampler', shuffle=True)
    assert merged['source'] == dict(common, batch_size=8, sampler=default, dataset=dict(type='A'))
    assert merged['target'] == dict(
        batch_size=4, num_workers=0, sampler=dict(type='S'), dataset=dict(type='B')
    )
    assert 'sampler' not in source


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (dict(batch_size=2, dataset=dict(type='A')), r'train_dataloader=dict\(driver=\.\.\., streams='),
        (dict(driver='real', streams=dict(source=dict(dataset=1))), r"one of \['source'\], got 'real'"),
        (dict(streams=dict(source=dict(dataset=1))), 'driver must name'),
        (dict(driver='source', streams=dict(source=dict(batch_size=2))), r'streams\.source has no dataset'),
        (
            dict(driver='a', dataset=dict(data_root='x'), streams=dict(a=dict(dataset=1), b=dict(dataset=2))),
            r'read by no stream.*set \S+\.streams\.a\.dataset, train_dataloader\.streams\.b\.dataset ',
        ),
    ],
)
def test_configs_without_meaning(config, message):
    with pytest.raises(ConfigError, match=message):
        stream_configs(config)
