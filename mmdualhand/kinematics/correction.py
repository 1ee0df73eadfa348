"""The correction rho of the paper: bone lengths and joint angles of an estimated hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.kinematics.bone_lengths import stretch_fingers
from mmdualhand.kinematics.joint_angles import bend_fingers, finger_frames
from mmdualhand.kinematics.joint_limits import LIMITS_DEG, limits_of
from mmdualhand.kinematics.palm import chain_palm, rigid_palm
from mmdualhand.kinematics.template import SOURCE_TEMPLATE, HandTemplate
from mmdualhand.kinematics.template_fit import common_hand, fit_template, slide_palm
from mmdualhand.structures import ROOT_JOINT, check_shape
from mmdualhand.structures.precision import full_precision

LIMITS: Final = (*LIMITS_DEG, 'none')
PALMS: Final = ('rigid', 'chain')
PLACEMENTS: Final = ('root', 'centroid', 'xy')
TEMPLATES: Final = ('source', 'dataset', 'estimate')


class BiomechanicalCorrection(nn.Module):
    """Move an estimated hand to one with given bone lengths and possible joint angles.

    The palm is registered first, then every finger from the joint placed last to
    the next estimate. A hand that comes out is left alone when it goes in again.
    ``limits='none'`` with ``palm='chain'`` is the registration of SemiHand (ICCV
    2021, Section 3.2); the paper (Section 4.3.1) adds the joint angles.

    Args:
        limits: Ranges of the joint angles: ``'anatomical'``, ``'klbr'`` (see
            ``joint_limits.py``) or ``'none'``, lengths only.
        palm: ``'rigid'`` moves the palm of the template as one body onto the
            estimate; ``'chain'`` gives each of its bones its length. With angles
            take ``'rigid'``: on noisy hands the frames of a chained palm are
            wrong, and so are the limits.
        template: Whose bones: ``'source'``, fitted to the embedded source and part
            of the package; ``'dataset'``, one hand for :meth:`fit_template` to
            find; ``'estimate'``, the source's, then moved by
            :meth:`update_template` to the model's own predictions; a file that
            ``tools/fit_hand_template.py`` has written; or a dict with its content.
        placement: What stays where it was: the ``'root'`` (middle MCP), the
            ``'centroid'`` of all joints, or its x and y and the depth of the root,
            ``'xy'``, for 2.5D poses.

    Raises:
        ConfigError: An unknown value, or a template that does not fit.
        MissingFileError: The template file is not there.
    """

    ratios: Tensor
    palm_points: Tensor | None
    limit_table: Tensor | None

    def __init__(
        self,
        limits: str = 'anatomical',
        palm: str = 'rigid',
        template: str | Path | Mapping[str, Any] = 'source',
        placement: str = 'centroid',
    ) -> None:
        super().__init__()
        self.limits = _one_of(limits, LIMITS, 'limits')
        self.palm = _one_of(palm, PALMS, 'palm')
        self.placement = _one_of(placement, PLACEMENTS, 'placement')
        self.template = template if template in TEMPLATES else 'given'
        hand = _read_template(template)
        if self.palm == 'rigid' and hand.palm is None:
            raise ConfigError(
                "palm='rigid' needs the palm of the template, and the given one has ratios only: add 'palm', "
                "(6, 3) wrist and finger bases over the reference bone, or set palm='chain'."
            )
        self._known = self.template != 'dataset'
        moves = self.template in ('dataset', 'estimate')
        ratios = torch.tensor(hand.ratios, dtype=torch.float32)
        points = None if hand.palm is None else torch.tensor(hand.palm, dtype=torch.float32)
        table = None if limits == 'none' else limits_of(limits)
        self.register_buffer('ratios', ratios, persistent=moves)
        self.register_buffer('palm_points', points, persistent=moves)
        self.register_buffer('limit_table', table, persistent=False)

    def forward(self, joints: Tensor, side: Tensor, ref_length: Tensor) -> tuple[Tensor, Tensor]:
        """Correct hands.

        Runs in float32 at least, also under autocast, and never waits for the
        device. Pseudo-labels want it under ``torch.no_grad()``.

        Args:
            joints: (B, 21, 3) mm, camera frame.
            side: (B,) +1 right, -1 left.
            ref_length: (B,) length of the reference bone, mm.

        Returns:
            (B, 21, 3) mm, and (B,) bool: whether the hand was corrected. It comes
            back as it went in where a number is not finite, the reference length
            not positive, the side not +1 or -1, or the palm so degenerate (all
            joints in one point or on one line) that its direction is not
            determined.

        Raises:
            ValueError: Wrong shape.
            ConfigError: The template of the data set was never fitted.
        """
        check_shape(joints, 'B 21 3', name='joints')
        check_shape(side, f'{joints.shape[0]}', name='side')
        check_shape(ref_length, f'{joints.shape[0]}', name='ref_length')
        if not self._known:
            raise ConfigError(
                "template='dataset' has no template yet: call fit_template with labelled hands of the data "
                "set first, or take template='source' or a file of tools/fit_hand_template.py."
            )
        with full_precision(joints.device):
            joints = joints.to(torch.promote_types(joints.dtype, torch.float32))
            side, ref_length = side.to(joints), ref_length.to(joints)
            usable = torch.isfinite(joints).all(-1).all(-1) & torch.isfinite(ref_length)
            usable = usable & (ref_length > 0) & (side.abs() == 1)
            scale = torch.where(usable, ref_length, 1.0)[:, None, None]
            root = joints[:, ROOT_JOINT : ROOT_JOINT + 1]
            local = torch.where(usable[:, None, None], (joints - root) / scale, 0.0)
            corrected, determined = self._correct(local, torch.where(usable, side, 1.0))
            placed = (corrected + self._shift(local, corrected)) * scale + root
            valid = usable & determined & torch.isfinite(placed).all(-1).all(-1)
            return torch.where(valid[:, None, None], placed, joints), valid

    @torch.no_grad()
    def fit_template(self, joints: Tensor, side: Tensor) -> None:
        """Find the template of a data set; for ``template='dataset'``.

        Args:
            joints: (N, 21, 3) labelled hands, in any length unit.
            side: (N,) +1 right, -1 left.

        Raises:
            ConfigError: Another kind of template, or no usable hand.
        """
        self._check_template('dataset', 'fit_template')
        hand = fit_template(joints, side)
        self.ratios.copy_(torch.from_numpy(hand.ratios))
        if self.palm_points is not None and hand.palm is not None:
            self.palm_points.copy_(torch.from_numpy(hand.palm))
        self._known = True

    @torch.no_grad()
    def update_template(self, joints: Tensor, side: Tensor, momentum: float = 0.1) -> None:
        """Move the template towards the median of predictions; for ``template='estimate'``.

        Uses no label. Predictions that are not finite count for nothing. In
        distributed training give every rank the same hands.

        Args:
            joints: (N, 21, 3) predictions before correction, in any length unit.
            side: (N,) +1 right, -1 left.
            momentum: Share of the new median in (0, 1].

        Raises:
            ConfigError: Another kind of template, or ``momentum`` out of range.
        """
        self._check_template('estimate', 'update_template')
        if not 0.0 < momentum <= 1.0:
            raise ConfigError(f'momentum must lie in (0, 1], got {momentum}')
        if self.palm_points is None:
            return
        with full_precision(joints.device):
            ratios, points = common_hand(joints.to(self.ratios), side, self.palm_points)
            found = torch.isfinite(ratios).all() & torch.isfinite(points).all()
            old = self.palm_points - self.palm_points.mean(0)
            points = torch.where(found, old.lerp(points - points.mean(0), momentum), old)
            self.ratios.copy_(torch.where(found, self.ratios.lerp(ratios, momentum), self.ratios))
            self.palm_points.copy_(slide_palm(points, self.ratios[:, 0]))

    def extra_repr(self) -> str:
        """Settings, for ``print(module)``."""
        return (
            f'limits={self.limits!r}, palm={self.palm!r}, template={self.template!r}, '
            f'placement={self.placement!r}'
        )

    def _correct(self, joints: Tensor, side: Tensor) -> tuple[Tensor, Tensor]:
        """Joints (B, 21, 3) in reference bones about the root -> corrected ones, and (B,) determined."""
        ratios = self.ratios.to(joints)
        palm = torch.cat([joints[:, :1], joints[:, 1::4]], dim=1)
        if self.palm == 'rigid' and self.palm_points is not None:
            palm, determined = rigid_palm(self.palm_points.to(joints), palm, side)
            if self.placement == 'root':
                palm = palm - palm[:, 3:4]
        else:
            palm, determined = chain_palm(ratios[:, 0], palm)
        bases, targets = palm[:, 1:], joints[:, 1:].unflatten(1, (5, 4))[:, :, 1:]
        if self.limit_table is None:
            wrist = palm[:, :1]
            along = nn.functional.normalize(bases - wrist, dim=-1)
            fingers = stretch_fingers(bases, along, targets, ratios[:, 1:])
        else:
            frames, framed = finger_frames(palm, side)
            determined = determined & framed
            limits = self.limit_table.to(joints)
            fingers, _ = bend_fingers(bases, frames, targets, ratios[:, 1:], limits)
        hand = torch.cat([bases[:, :, None], fingers], dim=2).flatten(1, 2)
        hand = torch.cat([palm[:, :1], hand], dim=1)
        return hand - hand[:, ROOT_JOINT : ROOT_JOINT + 1], determined

    def _shift(self, joints: Tensor, corrected: Tensor) -> Tensor:
        """(B, 1, 3) that puts corrected hands where the placement wants them; both have the root at 0."""
        shift = joints.mean(1, keepdim=True) - corrected.mean(1, keepdim=True)
        if self.placement == 'root':
            return torch.zeros_like(shift)
        if self.placement == 'xy':
            return torch.cat([shift[..., :2], torch.zeros_like(shift[..., 2:])], dim=-1)
        return shift

    def _check_template(self, wanted: str, method: str) -> None:
        if self.template != wanted:
            raise ConfigError(
                f'{method} is for template={wanted!r}; this correction has template={self.template!r}.'
            )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        super()._load_from_state_dict(state_dict, prefix, *args)
        self._known = self._known or f'{prefix}ratios' in state_dict


def _one_of(value: Any, known: tuple[str, ...], name: str) -> str:
    if value not in known:
        raise ConfigError(f'{name}={value!r} is not a setting of the correction; {near_names(value, known)}')
    return value


def _read_template(template: str | Path | Mapping[str, Any]) -> HandTemplate:
    if isinstance(template, Mapping):
        return HandTemplate.from_dict(template)
    if template in TEMPLATES:
        return HandTemplate.load(SOURCE_TEMPLATE)
    if isinstance(template, Path) or (isinstance(template, str) and template.endswith('.json')):
        return HandTemplate.load(template)
    raise ConfigError(
        f'template={template!r} is no template; {near_names(template, TEMPLATES)} A file must end in .json.'
    )
