"""Errors that a user can act on."""

from __future__ import annotations

import pytest

from mmdualhand.errors import DataError, near_names, run_script


def test_near_names() -> None:
    assert near_names('sleve', ['sleeve', 'key']) == "did you mean 'sleeve'?"
    assert near_names('sleev', {'sleeve': 1, 'sleeves': 2}) == "did you mean 'sleeve' or 'sleeves'?"
    assert near_names('qqq', ['sleeve', 'key']) == "known: 'sleeve', 'key'"
    assert near_names(None, ['none', 'klbr']) == "did you mean 'none'?"


def test_a_script_says_the_error_of_a_user_in_one_line(monkeypatch):
    monkeypatch.setattr('sys.argv', ['demo/some_demo.py'])

    def fail(error):
        raise error

    with pytest.raises(SystemExit) as caught:
        run_script(lambda: fail(DataError('a.png is broken')))
    assert caught.value.code == 'some_demo: a.png is broken'
    with pytest.raises(RuntimeError):  # a defect keeps its traceback
        run_script(lambda: fail(RuntimeError('oops')))
    run_script(lambda: 3)
