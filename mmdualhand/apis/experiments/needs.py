"""What trainings and measurements need from this machine, looked at before anything runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mmdualhand.apis.experiments.configs import benchmark_config, training_config
from mmdualhand.apis.experiments.definitions import Measurement, Training
from mmdualhand.apis.experiments.origin import absent_data
from mmdualhand.apis.run_config import check_data
from mmdualhand.apis.training_config import check_pretrained
from mmdualhand.errors import MissingFileError


def with_data(measurements: Iterable[Measurement]) -> tuple[list[Measurement], list[str]]:
    """Those measurements whose data are here, and those of the trainings that they need.

    Args:
        measurements: What is wanted.

    Returns:
        Those that can be run, and a sentence for every folder that is not there, with the
        number of measurements left out for it and how to get the data.

    Raises:
        MissingFileError: None can be run.
        ConfigError: A config is wrong.
    """
    possible: list[Measurement] = []
    absent: dict[str, list[Measurement]] = {}
    for one in measurements:
        folders = absent_data(one)
        if folders:
            absent.setdefault(folders[0], []).append(one)
        else:
            possible.append(one)
    if absent and not possible:
        folder, lost = next(iter(absent.items()))
        raise MissingFileError(_how_to_get(folder, lost[0]))
    sentences = [
        f'{len(lost)} measurements are left out: {_how_to_get(folder, lost[0])}'
        for folder, lost in absent.items()
    ]
    return possible, sentences


def _how_to_get(folder: str, measurement: Measurement) -> str:
    """What the reader of the data says of a folder that is not there."""
    loaders: list[Any] = [(benchmark_config(measurement.benchmark), 'test_dataloader')]
    training: Training | None = measurement.training
    while training is not None:
        loaders.append((training_config(training), 'train_dataloader'))
        training = training.start
    for cfg, name in loaders:
        try:
            check_data(cfg, name)
        except MissingFileError as error:
            if Path(folder).name in str(error):
                return str(error)
    return f'{folder} is not there'


def check_weights(trainings: Iterable[Training]) -> None:
    """Fetch the ImageNet weights that trainings start from.

    Raises:
        MissingFileError: They cannot be had; the message gives the ways out.
        ConfigError: A config is wrong.
    """
    for training in trainings:
        check_pretrained(training_config(training).model)
