"""What a layout is, and what is asked of it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from mmdualhand.errors import ConfigError, near_names
from mmdualhand.synthesis.domains import Domain, get_domain
from mmdualhand.synthesis.identity import Identity, sample_identity
from mmdualhand.synthesis.layouts.backgrounds import photo_list, with_photos
from mmdualhand.synthesis.posed_scene import Scene
from mmdualhand.synthesis.render import LOOK_STREAM, SCENE_STREAM, Sample, generator, render
from mmdualhand.synthesis.scene import sample_scene

GENERATOR_VERSION = 1
"""Raised when the same request gives other pictures."""

SPLITS = ('train', 'test')
RENDERER_2D = 'renderer_uv.npz'
"""Side file of a set: the renderer's own 2D, to check the labels against; no reader opens it."""

LAYOUT_STREAM, BACKGROUND_STREAM = 16, 17
"""Streams of random numbers of one picture: what the layout decides, and backgrounds painted apart."""

_STREAM_SPLITS = {'train': 'training', 'test': 'evaluation'}  # as RHD calls them

Job = tuple[str, int]
"""Split and number of what is rendered at once."""


@dataclass(frozen=True)
class SetRequest:
    """What to render.

    Attributes:
        layout: Key of ``LAYOUTS``.
        num_train: Pictures of the training split.
        num_test: Pictures of the test split.
        seed: Seed of the set.
        domain: Domain of the scenes and, without ``look``, of their appearance;
            the layout's own by default.
        look: Domain whose look is used instead, and no props: the same hands,
            dressed otherwise.
        image_size: Side of the square pictures, for layouts that leave it open.
        background_dir: Folder of photos to stand behind the hands.
    """

    layout: str
    num_train: int
    num_test: int
    seed: int = 0
    domain: str | None = None
    look: str | None = None
    image_size: int | None = None
    background_dir: str | None = None

    def __post_init__(self) -> None:
        for name in ('num_train', 'num_test', 'seed'):
            if getattr(self, name) < 0:
                raise ConfigError(f'{name} must not be negative, got {getattr(self, name)}')
        if self.num_train + self.num_test == 0:
            raise ConfigError('num_train and num_test are both 0: nothing to render')
        layout = get_layout(self.layout)
        if self.image_size is not None and not layout.any_size:
            raise ConfigError(f'pictures of {layout.title} have a size of their own; leave image_size out')
        if self.image_size is not None and self.image_size < 32:
            raise ConfigError(f'image_size must be 32 or more, got {self.image_size}')
        get_domain(self.domain or layout.default_domain)
        get_domain(self.look or layout.default_domain)
        if self.background_dir is not None and not Path(self.background_dir).is_dir():
            raise ConfigError(f'background_dir {self.background_dir} is not a folder')

    def count(self, split: str) -> int:
        """Pictures of a split, ``'train'`` or ``'test'``."""
        return {'train': self.num_train, 'test': self.num_test}[split]


class Layout(ABC):
    """The form in which a data set is published, filled with rendered hands.

    A subclass says how a scene of the set looks (:meth:`scene`), which pictures
    are made at once (:meth:`jobs`, :meth:`write_job`) and what is written when all
    are there (:meth:`finish`). Scenes depend on split, number, seed and domain
    alone, so other tools may use a layout without writing a set.

    Attributes:
        name: Key in ``LAYOUTS``.
        title: Name of the data set.
        folder_name: Folder of the published set.
        default_domain: Domain of its scenes.
        image_size: (width, height) where the set fixes it.
        any_size: Whether a request may say how large the pictures are.
        fixed_scene: What of the scene the set itself fixes.
        person_pictures: Scenes in a row that show the same person.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    folder_name: ClassVar[str]
    default_domain: ClassVar[str]
    image_size: ClassVar[tuple[int, int] | None] = None
    any_size: ClassVar[bool] = False
    fixed_scene: ClassVar[Mapping[str, Any]] = {}
    person_pictures: ClassVar[int] = 4

    @abstractmethod
    def scene(self, index: int, split: str, request: SetRequest) -> Scene:
        """The geometry of scene ``index`` of a split, ``'train'`` or ``'test'``."""

    @abstractmethod
    def write_job(self, root: Path, job: Job, request: SetRequest) -> Any:
        """Render the pictures of a job, write them below ``root``, return their labels."""

    @abstractmethod
    def finish(self, root: Path, request: SetRequest, labels: Mapping[Job, Any]) -> None:
        """Write the annotation files from what :meth:`write_job` returned."""

    @abstractmethod
    def folders(self, request: SetRequest) -> list[str]:
        """Folders below the root that pictures and labels go to."""

    def identity(self, index: int, split: str, request: SetRequest) -> Identity | None:
        """The person of scene ``index``; no person is in two splits.

        Returns:
            The person, or None where scene and look draw one of their own.
        """
        return self.person(self.person_number(index, split), split, request)

    def person_number(self, index: int, split: str) -> int:
        """Number in its split of the person of scene ``index``."""
        return index // self.person_pictures

    def person(self, number: int, split: str, request: SetRequest) -> Identity:
        """A person of a split, with the hands of the scenes' domain and the skin of the look's."""
        person = sample_identity(request.seed, self.place(request), number, split)
        if request.look is None:
            return person
        return replace(person, look=sample_identity(request.seed, request.look, number, split).look)

    def render_job(self, job: Job, request: SetRequest) -> list[Sample]:
        """The pictures of a job, as the set shows them."""
        split, index = job
        return [self.colour(self.scene(index, split, request), index, split, request)]

    def colour(self, scene: Scene, index: int, split: str, request: SetRequest) -> Sample:
        """Scene ``index``, as :meth:`scene` gave it, in colour."""
        rng, look = self.rng(request, split, index, LOOK_STREAM), self.dress(split, request).look
        return render(scene, look, rng, identity=self.identity(index, split, request))

    def draw_scene(
        self,
        index: int,
        split: str,
        request: SetRequest,
        size: tuple[int, int],
        camera: np.ndarray | None = None,
        **changes: Any,
    ) -> Scene:
        """Scene ``index`` from its own generator.

        Args:
            index: Its number.
            split: ``'train'`` or ``'test'``.
            request: What is rendered.
            size: (width, height) of the picture.
            camera: (3, 3) intrinsics; drawn where None.
            **changes: Keys of the scene that this one fixes.

        Returns:
            The scene, without props if another domain dresses it.
        """
        config = {**self.place(request).scene, **changes}
        rng, person = self.rng(request, split, index, SCENE_STREAM), self.identity(index, split, request)
        scene = sample_scene(rng, config, size, camera=camera, identity=person)
        return scene if request.look is None else scene.without_props()

    def jobs(self, request: SetRequest) -> list[Job]:
        """Everything to render."""
        return [(split, number) for split in SPLITS for number in range(request.count(split))]

    def pictures_of(self, job: Job) -> int:
        """Number of pictures of a job."""
        return 1

    def counts(self, request: SetRequest) -> dict[str, int]:
        """Pictures of every part of the set, as the set names it."""
        return {split: request.count(split) for split in SPLITS}

    def multiples(self) -> dict[str, tuple[int, int]]:
        """For each split what its pictures must be a multiple of, and their least number."""
        return {split: (1, 1) for split in SPLITS}

    def check_size(self, request: SetRequest) -> None:
        """Check that a set of this size can be written; other uses take any number.

        Raises:
            ConfigError: A number of pictures that the layout cannot hold.
        """
        for split, (multiple, least) in self.multiples().items():
            count = request.count(split)
            if count and (count < least or count % multiple):
                rule = f'a multiple of {multiple}' if multiple > 1 else 'a number'
                option = {'train': '--num', 'test': '--test-num'}[split]
                raise ConfigError(
                    f'num_{split} ({option}) of {self.title} must be {rule} from {least} on, or 0; got '
                    f'{count}'
                )

    def place(self, request: SetRequest) -> Domain:
        """The domain of the scenes, with what the set itself fixes."""
        domain = get_domain(request.domain or self.default_domain)
        return replace(domain, scene={**domain.scene, **self.fixed_scene})

    def dress(self, split: str, request: SetRequest) -> Domain:
        """The domain of the look of a split, with the user's photos if there are some."""
        name = request.look or request.domain or self.default_domain
        if request.background_dir is None:
            return get_domain(name)
        return with_photos(name, request.background_dir, 'test' if split == 'test' else 'train')

    def rng(self, request: SetRequest, split: str, index: int, stream: int) -> np.random.Generator:
        """The generator of one stream of scene ``index``."""
        domain = request.domain or self.default_domain
        if stream in (LOOK_STREAM, BACKGROUND_STREAM):
            domain = request.look or domain
        return generator(request.seed, domain, index, stream, _STREAM_SPLITS.get(split, split))

    def note_size(self, request: SetRequest) -> Any:
        """Size of the pictures as ``SYNTHETIC.json`` says it."""
        return None if self.image_size is None else list(self.image_size)

    def note(self, request: SetRequest) -> str:
        """Text of ``SYNTHETIC.json``: what the set is and what it was made from."""
        place, dress = self.place(request), get_domain(request.look or request.domain or self.default_domain)
        content = {
            'content': f'procedural hands rendered by mmdualhand, in the layout of {self.title}; '
            'not the published set',
            'generator': 'mmdualhand.synthesis',
            'generator_version': GENERATOR_VERSION,
            'layout': self.name,
            'domain': place.name,
            'look_of': dress.name,
            'seed': request.seed,
            'image_size': self.note_size(request),
            'counts': self.counts(request),
            'scene': place.scene,
            'look': dress.look,
        }
        if request.background_dir is not None:
            splits = [split for split in SPLITS if request.count(split)]
            domains = {split: self.dress(split, request) for split in splits}
            content['photos'] = {
                split: photo_list(domain, request.background_dir) for split, domain in domains.items()
            }
        return json.dumps(content, indent=2, default=str) + '\n'


LAYOUTS: dict[str, Layout] = {}
"""Layouts by name; a further one may be added."""


def get_layout(name: str) -> Layout:
    """The layout of a name.

    Raises:
        ConfigError: There is none; the message lists near names.
    """
    if name not in LAYOUTS:
        raise ConfigError(f'layout {name!r} is not known; {near_names(name, LAYOUTS)}')
    return LAYOUTS[name]
