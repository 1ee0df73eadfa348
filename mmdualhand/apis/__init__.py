"""Functions for users: the shipped configs by name."""

from __future__ import annotations

from mmdualhand.apis.model_zoo import config_path, config_root, get_config, list_models

__all__ = ['config_path', 'config_root', 'get_config', 'list_models']
