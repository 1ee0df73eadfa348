"""What ``train`` does with its options, and what it says when something is missing."""

from __future__ import annotations

import pytest

from mmdualhand.cli import train
from mmdualhand.errors import ConfigError, MissingFileError
from tests.fixtures.runs import TINY, run_command


def prepare(*arguments):
    return train.prepare(train.parse_args([str(TINY), *map(str, arguments)]))


def test_options_reach_the_config(tmp_path):
    cfg = prepare(
        '--work-dir', tmp_path, '--amp', '--no-validate', '--auto-scale-lr', '--show-dir', 'pictures',
        '--cfg-options', 'train_dataloader.batch_size=2', 'model.backbone.init_cfg=None',
    )  # fmt: skip
    assert cfg.work_dir == str(tmp_path)
    assert cfg.optim_wrapper.type == 'BF16OptimWrapper'
    assert cfg.val_dataloader is cfg.val_cfg is cfg.val_evaluator is None
    assert 'save_best' not in cfg.default_hooks.checkpoint
    assert cfg.auto_scale_lr == dict(enable=True, base_batch_size=140)
    assert cfg.default_hooks.visualization == dict(
        type='HandVisualizationHook', enable=True, out_dir='pictures'
    )
    assert cfg.train_dataloader.batch_size == 2
    assert cfg.model.backbone.init_cfg is None


def test_default_work_dir_is_the_name_of_the_config():
    assert prepare().work_dir == 'work_dirs/tiny_rhd'


def test_a_benchmark_cannot_be_trained():
    with pytest.raises(ConfigError, match='describes a benchmark'):
        train.prepare(train.parse_args(['benchmarks/ge_real']))


def test_misspelt_key_is_refused():
    with pytest.raises(ConfigError, match="'optim_wraper'.*did you mean 'optim_wrapper'"):
        prepare('--cfg-options', 'optim_wraper.optimizer.lr=1')


def test_an_option_that_does_not_fit_is_named():
    with pytest.raises(ConfigError, match=r'--cfg-options model.backbone.init_cfg.type'):
        prepare('--cfg-options', 'model.backbone.init_cfg.type=Pretrained')


def test_resume_without_a_checkpoint(tmp_path):
    with pytest.raises(MissingFileError, match='--resume found no checkpoint'):
        prepare('--work-dir', tmp_path, '--resume')
    with pytest.raises(MissingFileError, match=r'nothing\.pth'):
        prepare('--resume', tmp_path / 'nothing.pth')


def test_resuming_does_not_ask_for_imagenet_weights(tmp_path):
    (tmp_path / 'a.pth').touch()
    arguments = ['pretrain_rhd', '--resume', str(tmp_path / 'a.pth')]
    cfg = train.prepare(train.parse_args(arguments))
    assert cfg.model.backbone.init_cfg is None and cfg.resume and cfg.load_from == str(tmp_path / 'a.pth')


def one_sentence(result) -> str:
    assert result.returncode == 2
    assert 'Traceback' not in result.stderr
    last = result.stderr.strip().splitlines()[-1]
    assert last.startswith('mmdualhand train: ')
    return last


def test_missing_data_is_one_sentence(tmp_path):
    message = one_sentence(run_command(['train', 'pretrain_rhd'], tmp_path, data=tmp_path / 'none'))
    assert 'anno_training.pickle is missing' in message
    assert 'RenderedHandposeDataset' in message and 'make-mini-benchmark' in message
    assert not (tmp_path / 'work_dirs').exists()


def test_advice_for_the_mini_config_leads_to_its_data(tmp_path):
    message = one_sentence(run_command(['train', 'mini/init_rgb'], tmp_path))
    assert 'make-mini-benchmark --out data/mini --only rhd' in message
    assert 'HAND_DATA' not in message and 'unpack' not in message


def test_missing_weights_are_one_sentence(tmp_path, rhd_root):
    options = ['--cfg-options', 'model.backbone.init_cfg.checkpoint=weights/resnet101.pth']
    options.append('train_dataloader.batch_size=2')
    message = one_sentence(run_command(['train', 'pretrain_rhd', *options], tmp_path, data=rhd_root.parent))
    assert 'weights/resnet101.pth' in message and 'init_cfg=None' in message


def test_unknown_class_is_one_sentence(tmp_path, rhd_root):
    options = ['--cfg-options', 'train_dataloader.dataset.type=RHDataset']
    message = one_sentence(run_command(['train', TINY, *options], tmp_path, data=rhd_root.parent))
    assert "Did you mean 'RHDDataset'" in message


def test_less_than_a_batch_is_refused(tmp_path, rhd_root):
    options = ['--cfg-options', 'train_dataloader.batch_size=140']
    message = one_sentence(run_command(['train', TINY, *options], tmp_path, data=rhd_root.parent))
    assert 'fewer than one batch of 140' in message


def test_weights_of_another_network_are_refused(tmp_path, rhd_root):
    import torch

    from mmdualhand import get_config
    from mmdualhand.registry import MODELS

    torch.save(dict(state_dict=MODELS.build(get_config(TINY).model).state_dict()), tmp_path / 'a.pth')
    options = ['--cfg-options', f'load_from={tmp_path / "a.pth"}', 'model.backbone.base_channels=8']
    message = one_sentence(run_command(['train', TINY, *options], tmp_path, data=rhd_root.parent))
    assert 'a.pth' in message and 'another network' in message


def test_a_variable_of_the_config_cannot_be_overridden_from_outside():
    with pytest.raises(ConfigError, match="nothing reads 'data_root'"):
        prepare('--cfg-options', 'data_root=elsewhere')


def test_a_misspelt_argument_is_one_sentence(tmp_path, rhd_root):
    options = ['--cfg-options', 'model.backbone.dept=50']
    message = one_sentence(run_command(['train', TINY, *options], tmp_path, data=rhd_root.parent))
    assert "unexpected keyword argument 'dept'" in message


def test_shipped_configs_have_work_dirs_of_their_own():
    args = train.parse_args(['mini/init_rgb'])
    assert train.prepare(args).work_dir == 'work_dirs/mini/init_rgb'


def test_an_error_in_a_worker_is_still_one_sentence(tmp_path, rhd_root):
    import shutil

    root = shutil.copytree(rhd_root, tmp_path / 'data' / 'RHD_published_v2')
    for picture in sorted((root / 'training' / 'depth').glob('*.png')):
        picture.write_bytes(picture.read_bytes()[:-40])
    message = one_sentence(run_command(['train', TINY], tmp_path, data=tmp_path / 'data'))
    assert 'depth' in message and 'truncated' in message and 'DataLoader' not in message


def test_a_fine_tuning_wants_the_network_it_starts_from(tmp_path):
    with pytest.raises(MissingFileError, match=r'load_from=work_dirs/pretrain_rhd/epoch_60.pth is not there'):
        train.prepare(train.parse_args(['finetune_stb']))
    (tmp_path / 'a.pth').touch()
    found = train.parse_args(['finetune_stb', '--cfg-options', f'load_from={tmp_path / "a.pth"}'])
    cfg = train.prepare(found)
    assert cfg.load_from == str(tmp_path / 'a.pth') and cfg.model.backbone.init_cfg is None
