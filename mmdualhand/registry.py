"""Every registry of mmdualhand: its parent in mmengine and where its classes live.

The modules named in ``locations`` are imported at the first look-up, so that
``import mmdualhand`` stays cheap. Third parties register into these same
objects (``@MODELS.register_module()``) and name their module in
``custom_imports`` of a config or in the packaging entry-point group
``mmdualhand.plugins``.
"""

from __future__ import annotations

import difflib
import logging
from importlib.metadata import entry_points
from typing import Any

from mmengine import registry as upstream
from mmengine.logging import print_log
from mmengine.registry import Registry as UpstreamRegistry

from mmdualhand.errors import UnknownNameError

SCOPE = 'mmdualhand'
PLUGIN_GROUP = 'mmdualhand.plugins'

_plugins_loaded = False
_registries: list[Registry] = []


def load_plugins() -> dict[str, str]:
    """Import every module named in the entry-point group ``mmdualhand.plugins``.

    A plug-in that fails to import is reported by name and skipped; it does not
    stop the host.

    Returns:
        The failures of this call, plug-in name to error text. Later calls do
        nothing and return an empty dict.
    """
    global _plugins_loaded
    if _plugins_loaded:
        return {}
    _plugins_loaded = True
    failures: dict[str, str] = {}
    entries = entry_points(group=PLUGIN_GROUP)
    if entries:
        # Our own classes first: a plug-in that takes a shipped name then fails by itself, and is named.
        for registry in _registries:
            registry.import_from_location()
    for entry in entries:
        try:
            entry.load()
        except Exception as error:  # a plug-in may fail in any way
            failures[entry.name] = f'{type(error).__name__}: {error}'
            print_log(
                f'plug-in {entry.name!r} ({entry.value}) could not be loaded and is skipped: '
                f'{failures[entry.name]}',
                logger='current',
                level=logging.WARNING,
            )
    return failures


class Registry(UpstreamRegistry):
    """mmengine's registry with dotted names, loud imports and near-miss hints.

    mmengine reads everything before a dot as a scope, so a name such as
    ``MultiModal2.5DHead`` could never be found; here the whole key is looked up
    before a scope is split off.
    """

    def get(self, key: str) -> type | None:
        """Find a class by name, with or without the scope ``mmdualhand.``.

        Args:
            key: Registered name, for example ``'MultiModal2.5DHead'``.

        Returns:
            The class or function.

        Raises:
            TypeError: ``key`` is not a string.
            UnknownNameError: Nothing of that name is registered here or in a parent;
                the message lists the nearest names.
        """
        if not isinstance(key, str):
            raise TypeError(f'a {self.name} name must be a string, got {key!r}')
        load_plugins()
        self.import_from_location()
        own = key.removeprefix(f'{SCOPE}.')
        if own in self._module_dict:
            return self._module_dict[own]
        found = super().get(key)
        if found is None:
            raise UnknownNameError(self._miss(own))
        return found

    def known_names(self) -> list[str]:
        """Names that can be built here: this registry's own and its ancestors'."""
        load_plugins()
        self.import_from_location()
        names: set[str] = set(self._module_dict)
        ancestor = self.parent
        while ancestor is not None:
            names.update(ancestor._module_dict)
            ancestor = ancestor.parent
        return sorted(names)

    def _miss(self, key: str) -> str:
        near = difflib.get_close_matches(key, self.known_names(), n=3, cutoff=0.5)
        hint = f'Did you mean {" or ".join(map(repr, near))}?' if near else (
            f'Registered here: {", ".join(sorted(self._module_dict)) or "nothing"}.'
        )
        return (
            f'{key!r} is not a registered {self.name}. {hint} A class of your own must be imported '
            "first: custom_imports = dict(imports=['your.module']) in the config."
        )


def _child(name: str, parent: UpstreamRegistry | None, *locations: str, **kwargs: Any) -> Registry:
    registry = Registry(name, parent=parent, scope=SCOPE, locations=list(locations), **kwargs)
    _registries.append(registry)
    return registry


MODELS = _child('model', upstream.MODELS, 'mmdualhand.models')
MODEL_WRAPPERS = _child('model_wrapper', upstream.MODEL_WRAPPERS, 'mmdualhand.engine')
DATASETS = _child('dataset', upstream.DATASETS, 'mmdualhand.datasets')
DATA_SAMPLERS = _child('data sampler', upstream.DATA_SAMPLERS)
TRANSFORMS = _child(
    'transform', upstream.TRANSFORMS, 'mmdualhand.datasets.transforms', 'mmdualhand.pseudo_labels'
)
COLLATE_FUNCTIONS = _child('function', upstream.FUNCTIONS, 'mmdualhand.datasets')
CODECS = _child('codec', None, 'mmdualhand.codecs')
SELECTORS = _child('selector', None, 'mmdualhand.pseudo_labels')
LABELERS = _child('labeler', None, 'mmdualhand.pseudo_labels')
METRICS = _child('metric', upstream.METRICS, 'mmdualhand.evaluation')
EVALUATORS = _child('evaluator', upstream.EVALUATOR)
HOOKS = _child('hook', upstream.HOOKS, 'mmdualhand.engine', 'mmdualhand.visualization')
LOOPS = _child('loop', upstream.LOOPS, 'mmdualhand.engine')
OPTIMIZERS = _child('optimizer', upstream.OPTIMIZERS)
OPTIM_WRAPPERS = _child('optim_wrapper', upstream.OPTIM_WRAPPERS, 'mmdualhand.engine')
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', upstream.OPTIM_WRAPPER_CONSTRUCTORS, 'mmdualhand.engine'
)
PARAM_SCHEDULERS = _child('parameter scheduler', upstream.PARAM_SCHEDULERS, 'mmdualhand.engine')
VISUALIZERS = _child('visualizer', upstream.VISUALIZERS, 'mmdualhand.visualization')
VISBACKENDS = _child('vis_backend', upstream.VISBACKENDS)
LOG_PROCESSORS = _child('log_processor', upstream.LOG_PROCESSORS)
