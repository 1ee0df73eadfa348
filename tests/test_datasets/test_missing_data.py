from __future__ import annotations

from pathlib import Path

import pytest

from mmdualhand.datasets.missing_data import where_to_get


def test_published_set():
    text = where_to_get(Path('data/STB'), name='STB', page='https://example.org', layout='stb')
    assert text == (
        'get STB from https://example.org and unpack it to data/STB, or make the embedded set with '
        '"mmdualhand make-mini-benchmark --out data/mini --only stb" and set the environment variable '
        'HAND_DATA=data/mini.'
    )
    assert where_to_get(Path('data/RHD_published_v2')).startswith('get RHD from https://lmb')


@pytest.mark.parametrize('folder', ['mini', 'small'])
def test_published_data_never_go_into_a_folder_of_embedded_sets(folder):
    text = where_to_get(Path('data') / folder / 'STB', name='STB', page='https://example.org', layout='stb')
    command = f'mmdualhand make-mini-benchmark --out data/{folder} --only stb'
    assert text == f'make this embedded set with "{command}".'
