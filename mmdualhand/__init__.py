"""mmdualhand: cross-domain 3D hand pose estimation with RGB and depth.

Importing the package is cheap: torch and mmengine are loaded by the modules
that need them. ``list_models``, ``get_config`` and ``config_path`` are imported
from ``mmdualhand.apis.model_zoo`` at their first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmdualhand.apis.model_zoo import config_path, get_config, list_models

__version__ = '0.1.0'
__all__ = ['__version__', 'config_path', 'get_config', 'list_models']

_LAZY = {
    'config_path': 'mmdualhand.apis.model_zoo',
    'get_config': 'mmdualhand.apis.model_zoo',
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
