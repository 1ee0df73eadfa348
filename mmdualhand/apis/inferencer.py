"""Hand poses of pictures, in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from mmdualhand.apis.confidence import JointConfidence
from mmdualhand.apis.detectors import Detector, detect
from mmdualhand.apis.export.runners import Runner
from mmdualhand.apis.hand_crops import box_crop, cut, read_boxes, spread_boxes, whole_box
from mmdualhand.apis.hand_lifting import LiftingFacts, lift_hand
from mmdualhand.apis.load_model import make_runner
from mmdualhand.apis.picture_jobs import AskedHand, PictureJob, WantedHands
from mmdualhand.apis.pictures import Inputs, Picture, open_pictures
from mmdualhand.apis.prefetch import prefetch
from mmdualhand.apis.read_image import read_image, to_rgb, too_small
from mmdualhand.codecs import GRID_SIZE
from mmdualhand.errors import ConfigError, DataError
from mmdualhand.structures import SIDES, HandResult, PictureResult, to_grid


class HandPoseInferencer:
    """2D and 3D joints of hands in pictures, whatever the pictures come from.

    Args:
        model: A checkpoint, which names its network; the name of a shipped config or a config
            file (then give ``checkpoint``); an estimator; a file of ``mmdualhand export``; or
            a runner of :mod:`mmdualhand.apis.export.runners`.
        checkpoint: Weights for a ``model`` that is a config.
        device: For example ``'cuda:0'``; CUDA where there is one, else the CPU.
        detector: Any callable from an ``(H, W, 3)`` uint8 RGB picture to boxes ``(N, 4)`` of
            hands, x0, y0, x1, y1 px, or to a pair of boxes and N sides. Asked where no boxes
            are given, from the thread that reads ahead.
        batch_size: Crops that pass through the network at once.
        box_scale: Side of the square crop over the longer side of a box. 1.5 is what the
            networks are trained with, for boxes about the 21 joints.
        calibration: File of ``mmdualhand calibrate``; that of the checkpoint where None.

    Raises:
        ConfigError: No such config, no network is known, it does not predict from RGB alone, or
            an argument without meaning.
        MissingFileError: The checkpoint is not there.
        UnsafeFileError: The checkpoint is damaged or holds more than tensors.
    """

    def __init__(
        self,
        model: str | Path | nn.Module | Runner,
        checkpoint: str | Path | None = None,
        device: str | None = None,
        *,
        detector: Detector | None = None,
        batch_size: int = 16,
        box_scale: float = 1.5,
        calibration: str | Path | None = None,
    ) -> None:
        if batch_size < 1:
            raise ConfigError(f'batch_size must be at least 1, got {batch_size}')
        if not (np.isfinite(box_scale) and box_scale > 0):
            raise ConfigError(f'box_scale must be positive, got {box_scale}')
        self.runner = make_runner(model, checkpoint, device)
        self.confidence = JointConfidence.load(calibration, self.runner.facts.calibration)
        self.detector = detector
        self.batch_size = int(batch_size)
        self.box_scale = float(box_scale)
        self._image: np.ndarray | None = None

    @property
    def input_size(self) -> tuple[int, int]:
        """``(w, h)`` of the crops, px."""
        return self.runner.facts.input_size

    def infer(
        self,
        inputs: Inputs,
        *,
        boxes: Any = None,
        side: str | None = None,
        camera: Any = None,
        ref_length: float | None = None,
        root_depth: float | None = None,
        keep_images: bool = False,
    ) -> Iterator[PictureResult]:
        """Predict picture by picture; the next ones are decoded meanwhile.

        Args:
            inputs: A picture or video file, folder, pattern, ``.txt`` list, camera number, array
                ``(H, W, 3)`` or ``(N, H, W, 3)``, or an iterable of files and arrays; see
                :func:`~mmdualhand.apis.pictures.open_pictures`.
            boxes: ``(4,)`` or ``(N, 4)`` x0, y0, x1, y1 px, the same for every picture; or a list
                with these or None for each; or a mapping to these from paths or file names, of all
                pictures. Without boxes the detector is asked; without one the whole picture is the crop.
            side: ``'right'`` or ``'left'``; None: that of the detector, else both are tried and
                the one with the higher mean raw confidence is kept.
            camera: Of the upright pictures: ``(3, 3)`` intrinsics or fx, fy, cx, cy, px.
            ref_length: Length of the reference bone (middle MCP to PIP), mm; needs the camera.
            root_depth: Depth of the middle MCP, mm; needs the camera.
            keep_images: Keep each picture with its result.

        Returns:
            An iterator of one result a picture, in order. Of several pictures, one that cannot be
            read has a note and no hands.

        Raises:
            ConfigError: An argument without meaning.
            MissingFileError: There is no such input.
            DataError: A single picture, or the video, cannot be read.
        """
        _check_side(side)
        facts = LiftingFacts.read(camera, ref_length, root_depth)
        source = open_pictures(inputs)
        shared, each = spread_boxes(boxes, source.length)
        single = source.length == 1
        wanted = WantedHands(shared, each, side, keep_images, strict=single)
        jobs = (self._job(picture, wanted, number) for number, picture in enumerate(source.pictures))
        size = 1 if source.live else self.batch_size
        return self._run(prefetch(jobs, 0 if source.live or single else size), facts, size)

    def set_image(self, image: str | Path | np.ndarray) -> None:
        """Choose the picture that :meth:`predict` looks at.

        Args:
            image: A file, or an array (copied), see :func:`~mmdualhand.apis.read_image.to_rgb`.

        Raises:
            MissingFileError: There is no such file.
            DataError: It cannot be read, or is too small to hold a hand.
        """
        picture = read_image(image) if isinstance(image, str | Path) else to_rgb(image)
        note = too_small(picture)
        if note:
            raise DataError(f'{image if isinstance(image, str | Path) else "the picture"}: {note}')
        self._image = picture.copy() if picture is image else picture

    def predict(
        self,
        box: Any = None,
        side: str | None = None,
        camera: Any = None,
        ref_length: float | None = None,
        root_depth: float | None = None,
    ) -> tuple[HandResult, ...]:
        """Predict the hands of the picture of :meth:`set_image`; arguments as :meth:`infer`.

        Args:
            box: ``(4,)`` or ``(N, 4)`` px, or None.
            side: See :meth:`infer`.
            camera: See :meth:`infer`.
            ref_length: mm.
            root_depth: mm.

        Returns:
            A hand for each box.

        Raises:
            ConfigError: No picture was set, or an argument without meaning.
        """
        if self._image is None:
            raise ConfigError('predict() needs a picture: call set_image(picture) first')
        _check_side(side)
        facts = LiftingFacts.read(camera, ref_length, root_depth)
        boxes = None if box is None else read_boxes(box, 'box')
        wanted = WantedHands(boxes, None, side, keep_images=False, strict=True)
        job = self._job(Picture(None, None, self._image), wanted, 0)
        self._fill([job], facts)
        return job.result().hands

    def _run(
        self, jobs: Iterator[PictureJob], facts: LiftingFacts, batch_size: int
    ) -> Iterator[PictureResult]:
        waiting: list[PictureJob] = []
        for job in jobs:
            waiting.append(job)
            if len(waiting) >= batch_size or sum(len(one.pixels) for one in waiting) >= batch_size:
                self._fill(waiting, facts)
                yield from (one.result() for one in waiting)
                waiting = []
        self._fill(waiting, facts)
        yield from (one.result() for one in waiting)

    def _job(self, picture: Picture, wanted: WantedHands, number: int) -> PictureJob:
        """Cut the hands of a picture out."""
        image = picture.image
        note = picture.note if image is None else too_small(image) or wanted.missing(picture)
        job = PictureJob(picture, note, wanted.keep_images)
        if image is None or note:
            return job
        given = wanted.boxes_of(picture, number)
        boxes, sides = self._find(image, wanted, given)
        if not len(boxes):
            job.note = 'no box was given' if given is not None else 'the detector found no hand'
        size = (image.shape[1], image.shape[0])
        for box, side in zip(boxes, sides, strict=True):
            tried = SIDES if side is None else (side,)
            try:
                crops = [box_crop(box, size, self.input_size, self.box_scale, one == 'left') for one in tried]
            except ConfigError as error:
                if wanted.strict and given is not None:
                    raise
                job.note = str(error)
                continue
            hand = AskedHand(whole_box(size) if box is None else box, tried, crops)
            job.add(hand, [cut(image, crop) for crop in crops])
        return job

    def _find(
        self, image: np.ndarray, wanted: WantedHands, given: Sequence[np.ndarray] | None
    ) -> tuple[Sequence[np.ndarray | None], Sequence[str | None]]:
        """Boxes and sides of the hands of a picture; a box of None is the whole picture."""
        boxes: Sequence[np.ndarray | None] | None = given
        sides: Sequence[str | None] = ()
        if boxes is None and self.detector is not None:
            found, sides = detect(self.detector, image)
            boxes = list(found)
        elif boxes is None:
            boxes = [None]
        named = sides or [None] * len(boxes)
        return boxes, [wanted.side or side for side in named]

    def _fill(self, jobs: Sequence[PictureJob], facts: LiftingFacts) -> None:
        """Run the crops of some pictures and write the hands into them."""
        pixels = [pixel for job in jobs for pixel in job.pixels]
        rows: list[Mapping[str, np.ndarray]] = []
        for start in range(0, len(pixels), self.batch_size):
            found = self.runner(np.stack(pixels[start : start + self.batch_size]))
            rows += [{key: value[i] for key, value in found.items()} for i in range(len(found['pose25d']))]
        start = 0
        for job in jobs:
            for hand in job.asked:
                mine = rows[start : start + len(hand.sides)]
                start += len(mine)
                job.hands.append(self._hand(hand, mine, facts))

    def _hand(
        self, asked: AskedHand, rows: Sequence[Mapping[str, np.ndarray]], facts: LiftingFacts
    ) -> HandResult:
        """The better of the sides that were tried."""
        sure = [float(row['confidence_raw'].mean()) for row in rows]
        best = int(np.argmax(sure))
        row, crop = rows[best], asked.crops[best]
        pose = row['pose25d']
        lifted = lift_hand(pose, crop, facts)
        uv = to_grid(pose[:, :2].astype(np.float64), (GRID_SIZE, GRID_SIZE), crop.output_size)
        return HandResult(
            keypoints=crop.inverse_points_2d(uv),
            confidence=self.confidence(row),
            keypoints_3d_relative=lifted.relative,
            keypoints_3d=lifted.metric,
            metric=lifted.source,
            side=asked.sides[best],
            side_score=None if len(sure) == 1 else sure[best] - min(sure),
            box=asked.box,
            crop=crop,
            pose25d=pose,
            mask=row.get('mask'),
            depth_map=row.get('depth_map'),
            calibrated=self.confidence.calibrated,
            raw_confidence=sure[best],
        )


def inference_hand(
    model: Any, image: str | Path | np.ndarray, boxes: Any = None, **options: Any
) -> PictureResult:
    """Predict the hands of one picture; for many, keep a :class:`HandPoseInferencer`.

    Args:
        model: Of :func:`~mmdualhand.apis.load_model.init_model`, or anything else that the
            inferencer takes, or an inferencer.
        image: A picture file or array.
        boxes: ``(4,)`` or ``(N, 4)`` px; None: the whole picture.
        **options: ``side``, ``camera``, ``ref_length``, ``root_depth``, ``keep_images`` of
            :meth:`HandPoseInferencer.infer`.

    Raises:
        ConfigError: An argument without meaning.
        MissingFileError: There is no such file.
        DataError: It cannot be read.
    """
    inferencer = model if isinstance(model, HandPoseInferencer) else HandPoseInferencer(model)
    picture = read_image(image) if isinstance(image, str | Path) else to_rgb(image)
    (result,) = inferencer.infer(picture, boxes=None if boxes is None else read_boxes(boxes), **options)
    path = str(image) if isinstance(image, str | Path) else None
    return PictureResult(path, None, result.size, result.hands, result.note, result.image)


def _check_side(side: str | None) -> None:
    if side is not None and side not in SIDES:
        raise ConfigError(f"side must be 'right', 'left' or None to try both, got {side!r}")
