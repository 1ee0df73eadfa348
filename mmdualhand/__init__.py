"""mmdualhand: cross-domain 3D hand pose estimation with RGB and depth.

Importing the package is cheap: torch and mmengine are loaded by the modules
that need them. The public functions are imported from ``mmdualhand.apis`` at their
first use: ``list_models``, ``get_config``, ``config_path`` and ``get_model`` for the shipped
configs, ``HandPoseInferencer``, ``init_model`` and ``inference_hand`` to use a network.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmdualhand.apis.inferencer import HandPoseInferencer, inference_hand
    from mmdualhand.apis.load_model import get_model, init_model
    from mmdualhand.apis.model_zoo import config_path, get_config, list_models

__version__ = '0.1.0'
__all__ = [
    'HandPoseInferencer',
    '__version__',
    'config_path',
    'get_config',
    'get_model',
    'inference_hand',
    'init_model',
    'list_models',
]

_LAZY = {
    'HandPoseInferencer': 'mmdualhand.apis.inferencer',
    'config_path': 'mmdualhand.apis.model_zoo',
    'get_config': 'mmdualhand.apis.model_zoo',
    'get_model': 'mmdualhand.apis.load_model',
    'inference_hand': 'mmdualhand.apis.inferencer',
    'init_model': 'mmdualhand.apis.load_model',
    'list_models': 'mmdualhand.apis.model_zoo',
}


def __getattr__(name: str) -> Any:
    """Import a public function at its first use.

    Raises:
        AttributeError: The package has no such name.
    """
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    """Public names, the lazy ones included."""
    return sorted({*globals(), *_LAZY})
