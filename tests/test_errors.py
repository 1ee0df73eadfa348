"""Errors that a user can act on."""

from __future__ import annotations

from mmdualhand.errors import near_names


def test_near_names() -> None:
    assert near_names('sleve', ['sleeve', 'key']) == "did you mean 'sleeve'?"
    assert near_names('sleev', {'sleeve': 1, 'sleeves': 2}) == "did you mean 'sleeve' or 'sleeves'?"
    assert near_names('qqq', ['sleeve', 'key']) == "known: 'sleeve', 'key'"
    assert near_names(None, ['none', 'klbr']) == "did you mean 'none'?"
