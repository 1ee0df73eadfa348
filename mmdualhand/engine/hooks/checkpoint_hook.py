"""Checkpoints that load with ``weights_only=True`` and survive a kill at any moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner

from mmdualhand.compat import cap_history, from_plain, replace_file, to_plain
from mmdualhand.engine.weights import match_weights
from mmdualhand.errors import ConfigError
from mmdualhand.registry import HOOKS

_HISTORY_LENGTH = 10_000
_CAP_EVERY = 1_000


@HOOKS.register_module()
class SafeCheckpointHook(CheckpointHook):
    """mmengine's checkpoint hook with its faults mended.

    * The file holds tensors, numbers, strings and containers only, so it loads
      without running code from it. It also carries the network's config as
      plain data (``meta['model']``), so that testing needs no training config.
    * A checkpoint is written beside its final name and moved into place, and
      old ones are removed afterwards: a killed run always has its last one. The
      best one so far is likewise removed only when the next is there.
    * Weights are compared with the network before they are loaded.
    * Histories of logged scalars are capped, so that logging does not get
      slower with the length of a run.

    Arguments are those of mmengine's ``CheckpointHook``.
    """

    best_ckpt_path: Any
    best_ckpt_path_dict: dict[str, Any]

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Turn everything but the weights into plain data."""
        model = runner.cfg.get('model')
        if isinstance(model, dict):
            checkpoint['meta']['model'] = model
        checkpoint['meta']['custom_imports'] = (runner.cfg.get('custom_imports') or {}).get('imports', [])
        for key in ('meta', 'message_hub', 'param_schedulers'):
            if key in checkpoint:
                checkpoint[key] = to_plain(checkpoint[key])

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict[str, Any]) -> None:
        """Compare the weights with the network, then restore the history buffers.

        What a network to start from does not have keeps its value; mmengine, which
        would list every such name, is given the whole state.

        Raises:
            ConfigError: Less than 98 % of the network's tensors match (all must
                where a run is resumed); those of the model's ``optional_parts`` do not
                count. mmengine would go on with random ones.
        """
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        source = str(runner.cfg.get('load_from') or 'the checkpoint')
        if runner.cfg.get('resume'):
            match_weights(model, checkpoint, source=source)
        else:
            if hasattr(model, 'complete_start'):
                given = checkpoint['state_dict']
                checkpoint['state_dict'] = model.complete_start(given)
                if (added := len(checkpoint['state_dict']) - len(given)) > 0:
                    print_log(f'{source} is an RGB network: {added} tensors of it were copied', 'current')
            optional = getattr(model, 'optional_parts', ())
            matched = match_weights(model, checkpoint, source=source, min_match=0.98, optional=optional)
            checkpoint['state_dict'] = {**model.state_dict(), **matched}
        if 'message_hub' in checkpoint:
            checkpoint['message_hub'] = from_plain(checkpoint['message_hub'])

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Save by iteration where configured; cap the histories now and then."""
        super().after_train_iter(runner, batch_idx, data_batch, outputs)
        if self.every_n_train_iters(runner, _CAP_EVERY):
            cap_history(runner.message_hub.log_scalars, _HISTORY_LENGTH)

    def _save_best_checkpoint(self, runner: Runner, metrics: dict[str, Any]) -> None:
        """Save the best checkpoint; the one before goes only when the new one is there.

        Raises:
            ConfigError: No metric has the name that ``save_best`` gives.
        """
        if not self.save_best:
            return
        unknown = [key for key in self.key_indicators if key != 'auto' and key not in metrics]
        if unknown:
            raise ConfigError(
                f'save_best names {unknown}, which the validation does not give; it gives {sorted(metrics)}'
            )
        before = self._best_paths()
        self._set_best_paths(dict.fromkeys(before))
        super()._save_best_checkpoint(runner, metrics)
        after = self._best_paths()
        for key, old in before.items():
            if old and after[key] and old != after[key] and is_main_process():
                Path(old).unlink(missing_ok=True)
        self._set_best_paths({key: after[key] or old for key, old in before.items()})

    def _best_paths(self) -> dict[str, Any]:
        """Metric to the file of its best checkpoint, None before there is one."""
        if len(self.key_indicators) == 1:
            return {self.key_indicators[0]: self.best_ckpt_path}
        return dict(self.best_ckpt_path_dict)

    def _set_best_paths(self, paths: dict[str, Any]) -> None:
        if len(self.key_indicators) == 1:
            self.best_ckpt_path = next(iter(paths.values()))
        else:
            self.best_ckpt_path_dict = paths

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict[str, Any]) -> None:
        name = self.filename_tmpl.format(step)
        final = Path(self.out_dir) / name
        self.last_ckpt = str(final)
        stale = self._remember(runner, step)
        runner.message_hub.update_info('last_ckpt', self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            f'{name}.partial',
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        if not is_main_process():
            return
        replace_file(f'{final}.partial', final)
        pointer = Path(runner.work_dir) / 'last_checkpoint'
        Path(f'{pointer}.partial').write_text(self.last_ckpt)
        replace_file(f'{pointer}.partial', pointer)
        for old in stale:
            (Path(self.out_dir) / self.filename_tmpl.format(old)).unlink(missing_ok=True)

    def _remember(self, runner: Runner, step: int) -> list[int]:
        """Note this step as kept; return the steps that fall out."""
        if self.max_keep_ckpts <= 0 or (self.keep_ckpt_ids and self.keep_ckpt_ids[-1] == step):
            return []
        stale = []
        while len(self.keep_ckpt_ids) >= self.max_keep_ckpts:
            stale.append(self.keep_ckpt_ids.popleft())
        self.keep_ckpt_ids.append(step)
        runner.message_hub.update_info('keep_ckpt_ids', list(self.keep_ckpt_ids))
        return stale
