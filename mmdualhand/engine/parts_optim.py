"""Several optimisers for the parts of one network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.optim import OptimWrapperDict
from torch import nn

from mmdualhand.errors import ConfigError
from mmdualhand.registry import OPTIM_WRAPPER_CONSTRUCTORS, OPTIM_WRAPPERS, OPTIMIZERS

_KEYS = ('modules', 'lr_mult')


@OPTIM_WRAPPER_CONSTRUCTORS.register_module()
class PartsOptimWrapperConstructor:
    """Builds an ``OptimWrapperDict``: an optimiser of one kind for every part of a network.

    In a config::

        optim_wrapper = dict(
            constructor='PartsOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.1, momentum=0.9),
            parts=dict(
                feature=dict(modules=('backbone', 'head.deconv'), lr_mult=0.1),
                head=dict(modules=('head',))))

    A parameter belongs to the part that names the longest beginning of its name.

    Args:
        optim_wrapper_cfg: ``type`` of every wrapper (``OptimWrapper``), ``optimizer``, and
            ``parts``: name of the optimiser to ``modules``, beginnings of names, and
            ``lr_mult``, a factor on the learning rate. What else there is goes to every wrapper.
        paramwise_cfg: Not used; parts take its place.

    Raises:
        ConfigError: No parts, an unknown key, ``paramwise_cfg``, or a wrapper that scales or
            accumulates gradients: one backward pass may feed several of these optimisers.
    """

    def __init__(
        self, optim_wrapper_cfg: Mapping[str, Any], paramwise_cfg: Mapping[str, Any] | None = None
    ) -> None:
        config = dict(optim_wrapper_cfg)
        self.optimizer: dict[str, Any] = dict(config.pop('optimizer', None) or {})
        self.parts = {name: dict(part) for name, part in (config.pop('parts', None) or {}).items()}
        self.wrapper = {'type': 'OptimWrapper', **config}
        if paramwise_cfg or not self.parts or 'lr' not in self.optimizer:
            raise ConfigError(
                'PartsOptimWrapperConstructor needs optim_wrapper.optimizer with an lr and optim_wrapper.'
                'parts=dict(NAME=dict(modules=(...), lr_mult=1.0), ...), and takes no paramwise_cfg'
            )
        for name, part in self.parts.items():
            if set(part) - set(_KEYS) or not part.get('modules') or isinstance(part['modules'], str):
                raise ConfigError(
                    f'optim_wrapper.parts.{name} must have modules=(beginnings of names of parameters) and '
                    f'may have lr_mult, got {part}'
                )
        kind = OPTIM_WRAPPERS.get(self.wrapper['type'])
        scales = getattr(kind, '__name__', '') in ('AmpOptimWrapper', 'ApexOptimWrapper')
        if scales or self.wrapper.get('accumulative_counts', 1) != 1:
            raise ConfigError(
                'optimisers of parts neither scale nor accumulate gradients: use BF16OptimWrapper (--amp) '
                f'for mixed precision and no accumulative_counts, got {self.wrapper}'
            )

    def __call__(self, model: nn.Module) -> OptimWrapperDict:
        """The optimisers of a network.

        Args:
            model: The network, or its wrapper for several processes.

        Returns:
            Part to wrapper.

        Raises:
            ConfigError: A parameter that belongs to no part, or a part without parameters.
        """
        network: Any = getattr(model, 'module', model)
        shares: dict[str, list[nn.Parameter]] = {name: [] for name in self.parts}
        for key, parameter in network.named_parameters():
            if parameter.requires_grad:
                shares[self._owner(key)].append(parameter)
        empty = [name for name, share in shares.items() if not share]
        if empty:
            raise ConfigError(f'no parameter of the network belongs to optim_wrapper.parts {empty}')
        wrappers: dict[str, Any] = {}
        for name, share in shares.items():
            rate = self.optimizer['lr'] * self.parts[name].get('lr_mult', 1.0)
            optimizer = OPTIMIZERS.build({**self.optimizer, 'params': share, 'lr': rate})
            wrappers[name] = OPTIM_WRAPPERS.build({**self.wrapper, 'optimizer': optimizer})
        return OptimWrapperDict(**wrappers)

    def _owner(self, key: str) -> str:
        """The part that a parameter belongs to."""
        found = [
            (len(start), name)
            for name, part in self.parts.items()
            for start in part['modules']
            if key == start or key.startswith(f'{start}.')
        ]
        if not found:
            raise ConfigError(
                f'the parameter {key} belongs to none of optim_wrapper.parts {list(self.parts)}'
            )
        return max(found)[1]
