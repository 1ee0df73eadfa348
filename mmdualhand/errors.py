"""Errors a user can act on.

The command line prints these as one sentence (exit status 2); everything else
is a defect of the program and keeps its traceback.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path


class HandUserError(Exception):
    """Base of every error whose message alone tells the user what to do."""


class MissingFileError(HandUserError, FileNotFoundError):
    """A file or folder that the user has to supply is not there."""


class DataError(HandUserError, ValueError):
    """A data file or record is broken; the message names file and record."""


class ConfigError(HandUserError, ValueError):
    """A configuration value is wrong; the message names the key and the way out."""


class UnknownNameError(HandUserError, KeyError):
    """A registry has no class of this name; the message lists the nearest names."""

    __str__ = Exception.__str__


class TrainingDivergedError(HandUserError, ArithmeticError):
    """The loss of a training run is infinite or not a number."""


class UnsafeFileError(HandUserError, ValueError):
    """A pickle asks for more than tensors, numbers and containers."""


class MissingPackageError(HandUserError, ImportError):
    """An optional package is needed for this call and is not installed."""


def run_script(main: Callable[[], object]) -> None:
    """Run the main function of a script; an error of the user is one line and exit status 1.

    Args:
        main: Takes no arguments.

    Raises:
        SystemExit: After an error of the user, with the name of the script and the message.
    """
    try:
        main()
    except HandUserError as error:
        sys.exit(f'{Path(sys.argv[0]).stem}: {error}')


def near_names(name: object, known: Iterable[str]) -> str:
    """End of a message about an unknown name: what was meant, or what there is, in the order given."""
    names = [str(one) for one in known]
    near = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    if near:
        return f'did you mean {" or ".join(map(repr, near))}?'
    return f'known: {", ".join(map(repr, names))}'
