"""Codecs: one class owns one representation of a hand pose, both ways."""

from __future__ import annotations

from mmdualhand.codecs.pose25d import Pose25D

__all__ = ['Pose25D']
