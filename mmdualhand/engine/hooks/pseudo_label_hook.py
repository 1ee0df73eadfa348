"""The hook that gives self-training its labels."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from torch import nn

from mmdualhand.compat import to_plain
from mmdualhand.engine.labels import BankFiller, LabelMemory, LabelProbe, LabelSource, collapse_warnings
from mmdualhand.engine.labels.target_data import clean_config, find_stream, name_bank
from mmdualhand.errors import ConfigError
from mmdualhand.pseudo_labels import BankedLabels, PseudoLabelBank
from mmdualhand.registry import DATASETS, HOOKS, LABELERS
from mmdualhand.structures import JOINT_NAMES

REFRESHES = ('iter', 'epoch')
STATE = 'pseudo_labels'
"""Key of the checkpoint that keeps the hook's state."""


@HOOKS.register_module()
class PseudoLabelHook(Hook):
    """Hands a labeler to a :class:`~mmdualhand.models.SelfTrainingEstimator`, and watches the labels.

    ``refresh='iter'`` (the paper): labels are made of the predictions of every step.
    ``refresh='epoch'`` (SemiHand): before an epoch all target images are labelled
    in eval mode and without augmentation into a memory-mapped bank, from which
    ``LoadPseudoLabel``, the last step of the target pipeline, reads.

    Every step logs the share of ``accepted`` labels and joints, the mean
    ``confidence`` value C, ``pose_std``, the spread of the predictions, and with
    ``'iter'`` the size of the correction and the drift of the labels. After every
    epoch their means are logged as ``labels/...``, with the share of accepted
    labels of each joint where joints are judged by themselves, and with the true
    errors on the probe; ``tools/analyze_pseudo_labels.py`` draws them. An epoch
    without an accepted label and predictions that become one pose are warnings.

    A resumed run goes on with the state of the labeler. With ``'epoch'`` it finishes
    a refresh that was begun.

    Args:
        labeler: Config of a labeler; ``codec`` is filled in. ``AveragedLabels`` by
            default.
        refresh: ``'iter'`` or ``'epoch'``.
        interval: Epochs from one refresh to the next; 1 with ``'iter'``.
        dataset: Target images without augmentation, for ``'epoch'``. By default that
            of the target stream, with ``augment`` of its ``HandCrop`` taken out.
        bank: File of the bank; ``pseudo_labels.bank`` in the work dir by default.
        probe: Config of a labelled dataset, its pipeline without augmentation; or None.
        stream: Name of the stream of target images.
        batch_size: Images at a time where a bank is filled and the probe measured; that of the
            stream by default.
        num_workers: Processes that read then.

    Raises:
        ConfigError: A value without meaning.
    """

    def __init__(
        self,
        labeler: Mapping[str, Any] | None = None,
        refresh: str = 'iter',
        interval: int = 1,
        dataset: Mapping[str, Any] | None = None,
        bank: str | None = None,
        probe: Mapping[str, Any] | None = None,
        stream: str = 'target',
        batch_size: int | None = None,
        num_workers: int = 0,
    ) -> None:
        if refresh not in REFRESHES:
            raise ConfigError(f'refresh of PseudoLabelHook must be one of {REFRESHES}, got {refresh!r}')
        if interval < 1 or (interval > 1 and refresh == 'iter'):
            raise ConfigError(
                "interval of PseudoLabelHook counts epochs from 1 on, and is 1 with refresh='iter'; "
                f'got {interval}'
            )
        self.labeler_config = dict(labeler or dict(type='AveragedLabels'))
        self.refresh, self.interval = refresh, interval
        self.dataset, self.bank, self.probe = dataset, bank, probe
        self.stream, self.batch_size, self.num_workers = stream, batch_size, num_workers
        self._first_std: float | None = None
        self._resumed: dict[str, Any] | None = None
        self._filler: BankFiller | None = None
        self._probe: LabelProbe | None = None

    def before_train(self, runner: Runner) -> None:
        """Build the labeler and hand it to the model.

        Raises:
            ConfigError: The model takes no labels, there is no such stream, or the
                target pipeline does not read the bank.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        if not hasattr(model, 'labeler') or not hasattr(model, 'look'):
            raise ConfigError(
                f"PseudoLabelHook is for model=dict(type='SelfTrainingEstimator'), not {type(model).__name__}"
            )
        if not (runner._load_from or runner._resume):
            self._say('self-training begins without a pre-trained network: set load_from', logging.WARNING)
        loader = find_stream(runner, self.stream)
        dataset: Any = loader.dataset
        device = next(model.parameters()).device
        self._labeler: nn.Module = LABELERS.build({**self.labeler_config, 'codec': model.codec}).to(device)
        batch_size = self.batch_size or loader.batch_size or 1
        if self.refresh == 'iter':
            memory = LabelMemory(len(dataset), model.codec.input_size, device)
            self._source = LabelSource(self._labeler.train(), memory)
        else:
            self._filler = self._build_filler(runner, model, dataset, batch_size)
            corrector = self._labeler if hasattr(self._labeler, 'correct') else None
            self._source = LabelSource(BankedLabels(corrector))
        if self.probe is not None:
            labelled = DATASETS.build(dict(self.probe))
            self._probe = LabelProbe(model, labelled, batch_size, self.num_workers)
        self._restore(runner)
        model.labeler = self._source

    def _build_filler(self, runner: Runner, model: Any, reader: Any, batch_size: int) -> BankFiller:
        if getattr(self._labeler, 'learns', False):
            raise ConfigError(
                "a template that is estimated on the way (template='estimate') needs refresh='iter'; give a "
                "template file, or take 'source'"
            )
        config = dict(self.dataset or clean_config(runner, self.stream))
        dataset = DATASETS.build(config)
        if len(dataset) != len(reader):
            raise ConfigError(
                f'PseudoLabelHook labels {len(dataset)} images and the stream {self.stream!r} has '
                f'{len(reader)}: dataset must be that of the stream, without augmentation'
            )
        path = Path(self.bank or Path(runner.work_dir) / 'pseudo_labels.bank').absolute()
        name_bank(reader, str(path))
        joints = bool(getattr(getattr(self._labeler, 'selector', None), 'per_joint', False))
        owner = dataset.metainfo['dataset_name']
        bank = PseudoLabelBank.shared(path, owner, len(dataset), joints, fresh=runner.iter == 0)
        return BankFiller(model, self._labeler, dataset, bank, batch_size, self.num_workers)

    def before_train_epoch(self, runner: Runner) -> None:
        """Fill the bank where an epoch wants new labels, and see to it that they are read."""
        if self._filler is None:
            return
        number = runner.epoch // self.interval
        if runner.epoch % self.interval and self._filler.bank.count(number) < len(self._filler.bank):
            self._say(
                f'the bank has no labels of epoch {number * self.interval + 1}, and this run goes on from '
                'there: they are made of the network as it is now',
                logging.WARNING,
            )
        elif runner.epoch % self.interval and self._filler.bank.active == number:
            return
        means = self._filler.fill(number, runner.iter / runner.max_iters)
        values = {name: value[0] for name, value in means.items()}
        self._report(runner, 'refresh', values, runner.epoch + 1)

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Tell the labels how far the run is."""
        self._source.progress = runner.iter / runner.max_iters

    def after_train_epoch(self, runner: Runner) -> None:
        """Log the epoch's means and the probe, and warn of collapse."""
        means = self._source.means.take()
        joints = means.pop('keep', [])
        values = {name: mean[0] for name, mean in means.items()}
        epoch = runner.epoch + 1
        for sentence in collapse_warnings(epoch, values, self._first_std):
            self._say(sentence, logging.WARNING)
        if self._first_std is None:
            self._first_std = values.get('pose_std')
        values.update({f'keep/{name}': share for name, share in zip(JOINT_NAMES, joints, strict=False)})
        self._report(runner, 'labels', values, epoch)
        if self._probe is not None and is_main_process():
            progress = (runner.iter + 1) / runner.max_iters
            found = self._probe.measure(self._labeler, progress, whole=self.refresh == 'epoch')
            self._report(runner, 'probe', found, epoch)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Add the state of the labels, as plain data."""
        if not hasattr(self, '_source'):
            return
        memory = self._source.memory
        checkpoint[STATE] = {
            'labeler': to_plain({name: value.cpu() for name, value in self._labeler.state_dict().items()}),
            'memory': None if memory is None else memory.labels.cpu(),
            'first_pose_std': self._first_std,
        }

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Keep the state of a run that is resumed until the labeler is there."""
        if runner._resume:
            self._resumed = checkpoint.get(STATE, {})

    def _restore(self, runner: Runner) -> None:
        state, self._resumed = self._resumed, None
        if state is None:
            return
        if not state:
            self._say('the checkpoint has no state of pseudo-labels; they begin anew', logging.WARNING)
            return
        shapes = [{k: v.shape for k, v in d.items()} for d in (self._labeler.state_dict(), state['labeler'])]
        if shapes[0] != shapes[1]:
            raise ConfigError(
                'the checkpoint was written with another labeler or selector; resume with the same, or start '
                'a new run from it with load_from'
            )
        self._labeler.load_state_dict(state['labeler'])
        self._first_std = state['first_pose_std']
        memory, kept = self._source.memory, state['memory']
        if memory is not None and kept is not None and kept.shape == memory.labels.shape:
            memory.labels.copy_(kept)

    def _report(self, runner: Runner, kind: str, values: Mapping[str, float], epoch: int) -> None:
        """One line of the log, and scalars for the visualiser's back ends."""
        if not values:
            return
        named = {f'{kind}/{name}': value for name, value in values.items()}
        runner.visualizer.add_scalars({**named, 'epoch': epoch}, step=runner.iter)
        shown = [f'{name} {value:.4g}' for name, value in values.items() if not name.startswith('keep/')]
        self._say(f'pseudo-labels, {kind} of epoch {epoch}: {", ".join(shown)}')

    @staticmethod
    def _say(text: str, level: int = logging.INFO) -> None:
        print_log(text, logger='current', level=level)
