"""What the metric classes share: gathering poses, skipping the unlabelled, saying how it was measured."""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import BRANCHES, FINGERS, INSTANCE_FIELDS, JOINT_NAMES, NUM_JOINTS, ROOT_JOINT


class HandMetric(BaseMetric):
    """A metric over (21, D) joints of one or several branches.

    One small record a sample is kept (joints, no images), so that collecting
    across ranks is cheap and mmengine can drop the samples that pad the last
    batch.

    Result keys are ``<name>`` for the branch ``rgb`` and ``<branch>/<name>`` for
    the others, with ``/<finger>`` or ``/<joint>`` behind.

    One line of the log says how was measured; it is kept in :attr:`protocol_line`
    and logged again only where it changes.

    Args:
        branches: Branches to measure, of ``rgb``, ``depth``, ``fused``; the
            estimator must predict them.
        visible_only: Leave out joints that the labels mark as not visible. False
            measures every joint whose label is finite: in RHD an occluded joint
            still has a valid label.
        per_joint: Also report each joint.
        per_finger: Also report each finger (4 joints; the wrist is in none).
        **kwargs: ``collect_device``, ``prefix``, ``collect_dir`` of mmengine.

    Raises:
        ConfigError: Unknown or no branch.
    """

    # An empty prefix, because None makes mmengine warn at every build.
    default_prefix: ClassVar[str | None] = ''
    rule: ClassVar[str]
    """``'less'`` or ``'greater'``: which direction is better (``save_best`` needs it)."""
    label: ClassVar[str]
    """Key of the joints in ``gt_instances`` and ``pred_instances``."""
    dims: ClassVar[int]
    """Leading coordinates of ``label`` that are measured."""

    def __init__(
        self,
        branches: Sequence[str] = ('rgb',),
        visible_only: bool = False,
        per_joint: bool = False,
        per_finger: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.branches = (branches,) if isinstance(branches, str) else tuple(branches)
        if not self.branches or not set(self.branches) <= set(BRANCHES):
            raise ConfigError(f'branches must be some of {BRANCHES}, got {branches!r}')
        self.visible_only = visible_only
        self.per_joint = per_joint
        self.per_finger = per_finger
        self.protocol_line: str | None = None
        """How the last results were measured; None before, and where there was nothing to measure."""

    @abstractmethod
    def measure(self, pred: np.ndarray, gt: np.ndarray, counts: np.ndarray) -> dict[str, float]:
        """Measure one branch.

        Args:
            pred: (N, 21, dims) predictions.
            gt: (N, 21, dims) labels; NaN where unknown.
            counts: (N, 21) bool, joints to measure (at least one).

        Returns:
            Result name to value.
        """

    @abstractmethod
    def protocol(self) -> str:
        """Unit, frame, alignment and rule of this metric, for the log."""

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Keep the joints of each sample.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, as mmengine's evaluator hands
                them over, with ``pred_instances`` and, where labelled,
                ``gt_instances``.

        Raises:
            ConfigError: A labelled sample lacks the prediction of a branch.
            DataError: Joints of another shape.
        """
        for sample in data_samples:
            entry: dict[str, Any] = {
                'crop_rule': str(sample.get('crop_rule', 'unknown')),
                'sample_id': str(sample.get('sample_id', '?')),
                'root_depth': str(sample.get('root_depth_source', 'given')),
                'gt': None,
            }
            gt = self._joints(sample, 'gt_instances')
            if gt is not None and np.isfinite(gt).any():
                if sample.get('prediction_dims', self.dims) < self.dims:
                    entry['flat'] = True
                    self.results.append(entry)
                    continue
                entry['gt'] = gt
                entry['counts'] = np.isfinite(gt).all(-1) & self._visible(sample)
                for branch in self.branches:
                    entry[branch] = self._prediction(sample, branch)
            self.results.append(entry)

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Measure every branch over all labelled samples and log how.

        Args:
            results: Records made by :meth:`process`.

        Returns:
            Result key to value; empty, after a warning, where no sample has a label, or the
            network predicts fewer dimensions than are measured.

        Raises:
            DataError: No joint of the labelled samples counts, or a prediction is
                not finite.
        """
        labelled = [entry for entry in results if entry['gt'] is not None]
        if not labelled:
            self.protocol_line = None
            self._warn_unmeasured(results)
            return {}
        self._check_finite(labelled)
        gt = np.stack([entry['gt'] for entry in labelled])
        counts = np.stack([entry['counts'] for entry in labelled])
        if not counts.any():
            raise DataError(
                f'{type(self).__name__} has nothing to measure: no joint of {len(labelled)} labelled '
                f'samples counts (visible_only={self.visible_only})'
            )
        metrics: dict[str, float] = {}
        for branch in self.branches:
            pred = np.stack([entry[branch] for entry in labelled])
            prefix = '' if branch == 'rgb' else f'{branch}/'
            metrics.update({prefix + key: value for key, value in self.measure(pred, gt, counts).items()})
        line = self._summary(results, len(labelled))
        if line != self.protocol_line:
            print_log(line, logger='current', level=logging.INFO)
        self.protocol_line = line
        return metrics

    def groups(self) -> Iterator[tuple[str, Sequence[int]]]:
        """Joint groups to report: suffix of the result key, joint indices."""
        yield '', range(NUM_JOINTS)
        if self.per_finger:
            for finger, joints in FINGERS.items():
                yield f'/{finger}', joints
        if self.per_joint:
            for joint, name in enumerate(JOINT_NAMES):
                yield f'/{name}', (joint,)

    def _warn_unmeasured(self, results: list) -> None:
        meta = self.dataset_meta or {}
        name, split = meta.get('dataset_name', 'the unnamed dataset'), meta.get('split')
        if any(entry.get('flat') for entry in results):
            reason = f'the network predicts 2D keypoints alone, and has no {self.dims}D; measure it with PCK.'
        else:
            reason = (
                f'none of the {len(results)} samples of {name}{f" ({split})" if split else ""} has '
                f'{self.dims}D labels (gt_instances.{self.label}).'
            )
        print_log(
            f'{type(self).__name__} measures nothing: {reason}', logger='current', level=logging.WARNING
        )

    def _check_finite(self, labelled: Sequence[Mapping[str, Any]]) -> None:
        for branch in self.branches:
            broken = [entry['sample_id'] for entry in labelled if not np.isfinite(entry[branch]).all()]
            if broken:
                more = f' and {len(broken) - 1} more' if len(broken) > 1 else ''
                raise DataError(
                    f'the network predicts values that are not finite for sample {broken[0]!r}{more} '
                    f'({self.label} of the branch {branch!r}); the weights may be those of a training that '
                    'diverged'
                )

    def _summary(self, results: list, labelled: int) -> str:
        meta = self.dataset_meta or {}
        root = int(meta.get('root_joint', ROOT_JOINT))
        if 'embedded' in meta:
            origin = 'embedded data' if meta['embedded'] else 'published data'
        else:
            origin = 'data of unknown origin'
        split = meta.get('split') or 'unknown'
        lifting = _lifting(results, meta.get('lifting', 'unknown root depth and length'))
        parts = [
            f'{type(self).__name__}: {self.protocol()}',
            *([lifting] if self.dims == 3 else []),
            f'root joint {root} ({JOINT_NAMES[root]})',
            f'crop rule {" and ".join(sorted({entry["crop_rule"] for entry in results}))}',
            f'wrist convention {meta.get("wrist_convention", "unknown")}',
            'visible joints' if self.visible_only else 'all labelled joints',
            f'{labelled} of {len(results)} samples ({len(results) - labelled} without label skipped)',
            f'{meta.get("dataset_name", "unnamed dataset")}, split {split}, {origin}',
        ]
        return ' | '.join(parts)

    def _prediction(self, sample: Mapping[str, Any], branch: str) -> np.ndarray:
        key = INSTANCE_FIELDS[branch]
        pred = self._joints(sample, key)
        if pred is None:
            raise ConfigError(
                f'{type(self).__name__} measures the branch {branch!r}, but sample '
                f'{sample.get("sample_id", "?")!r} has no {key}.{self.label}; let the estimator predict this '
                'branch at test time (test_cfg) or take it out of branches of the metric'
            )
        return pred

    def _joints(self, sample: Mapping[str, Any], key: str) -> np.ndarray | None:
        value = _field(sample, key, self.label)
        if value is None:
            return None
        joints = _to_numpy(value)
        joints = joints[0] if joints.ndim == 3 and len(joints) == 1 else joints
        if joints.ndim != 2 or len(joints) != NUM_JOINTS or joints.shape[1] < self.dims:
            raise DataError(
                f'{key}.{self.label} of sample {sample.get("sample_id", "?")!r} must have shape '
                f'(1, {NUM_JOINTS}, {self.dims} or more), got {_to_numpy(value).shape}'
            )
        return joints[:, : self.dims].astype(np.float64)

    def _visible(self, sample: Mapping[str, Any]) -> np.ndarray:
        visible = _field(sample, 'gt_instances', 'keypoints_visible') if self.visible_only else None
        if visible is None:
            return np.ones(NUM_JOINTS, dtype=bool)
        return _to_numpy(visible).reshape(NUM_JOINTS) > 0


def _lifting(results: Sequence[Mapping[str, Any]], given: str) -> str:
    """Where root depth and reference length came from, of the data's own words and what the estimator did."""
    sources = sorted({entry.get('root_depth', 'given') for entry in results})
    if sources == ['given']:
        return f'lifted with {given} (root_depth=given)'
    solved = f'the root depth of the predicted palm (root_depth={" and ".join(sources)})'
    return f'lifted with {solved}; the data give {given}'


def _field(sample: Mapping[str, Any], key: str, name: str) -> Any:
    """``sample[key][name]`` or None; instances may be a dict or mmengine's InstanceData."""
    instances = sample.get(key)
    return None if instances is None else instances.get(name)


def _to_numpy(value: Any) -> np.ndarray:
    return value.detach().cpu().numpy() if hasattr(value, 'detach') else np.asarray(value)
