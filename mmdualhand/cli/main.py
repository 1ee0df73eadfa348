"""The console command ``mmdualhand``: one subcommand for every file in ``tools/``."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Sequence
from importlib import import_module

from mmdualhand import __version__
from mmdualhand.errors import HandUserError

COMMANDS = {
    'train': 'train a model from a config',
    'test': 'measure a checkpoint on a benchmark',
    'browse-dataset': 'draw what a dataset and its pipeline give',
    'analyze-pseudo-labels': 'draw how many pseudo-labels a run accepted and how good they were',
    'convert-to-coco': 'write a dataset to one COCO json',
    'calibrate': 'make the confidences of a network probabilities, and check them',
    'check-data': 'check a dataset on disk and say what is wrong with it',
    'export': 'write the RGB-only network as ONNX or TorchScript, compared with the one in torch',
    'benchmark-export': 'time the exported network against a top-down ResNet-101',
    'get-flops': 'count the parameters and FLOPs of a config',
    'infer': 'find the joints of hands in pictures and videos',
    'make-mini-benchmark': 'render the embedded data sets',
    'measure-domain-gap': 'measure what the look of each embedded target costs',
    'mean-pose': 'measure the constant mean training pose, the floor of every result',
    'measure-labels': 'measure both passes and the labels of stage 2 on a target',
    'measure-sides': 'measure how often the side of a hand is guessed correctly',
    'publish-model': 'write a checkpoint without optimiser, its hash in the name',
    'quickstart': 'the whole paper on rendered hands, from nothing to a report',
    'reproduce': 'run the trainings and measurements of a table, each once, and print it',
    'visualize': 'draw attention, comparisons, failures, features and curves of checkpoints',
    'print-config': 'print a config with its bases merged, and which file set a key',
}
"""Subcommand to its line in the help; ``a-b`` is the module ``mmdualhand.cli.a_b``."""

USER_ERROR_STATUS = 2
INTERRUPTED_STATUS = 130


def usage() -> str:
    """The help text of the command without a subcommand."""
    width = max(map(len, COMMANDS))
    lines = [f'  {name:<{width}}  {text}' for name, text in COMMANDS.items()]
    return '\n'.join(
        [
            'usage: mmdualhand COMMAND [options]',
            '       mmdualhand COMMAND --help',
            '       mmdualhand --version',
            '',
            'commands:',
            *lines,
        ]
    )


def run(command: str, argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; errors of the user become one sentence.

    Args:
        command: A key of ``COMMANDS``.
        argv: Arguments after the subcommand; those of the process by default,
            as for a file in ``tools/``.

    Returns:
        Exit status: what the subcommand returns, or 2 after a
        ``HandUserError``, whose message goes to stderr, 130 after Ctrl-C.
    """
    if command not in COMMANDS:
        near = difflib.get_close_matches(command, COMMANDS, n=1)
        hint = f'did you mean {near[0]!r}?' if near else f'there are: {", ".join(COMMANDS)}.'
        print(f'mmdualhand: {command!r} is not a command; {hint}', file=sys.stderr)
        return USER_ERROR_STATUS
    module = import_module(f'mmdualhand.cli.{command.replace("-", "_")}')
    try:
        return int(module.main(list(sys.argv[1:] if argv is None else argv)))
    except HandUserError as error:
        print(f'mmdualhand {command}: {_sentence(error)}', file=sys.stderr)
        return USER_ERROR_STATUS
    except KeyboardInterrupt:
        print(f'mmdualhand {command}: interrupted', file=sys.stderr)
        return INTERRUPTED_STATUS
    except TypeError as error:
        if 'unexpected keyword argument' not in str(error):
            raise
        print(f'mmdualhand {command}: a key of the config is misspelt or new: {error}', file=sys.stderr)
        return USER_ERROR_STATUS


def _sentence(error: HandUserError) -> str:
    """The message alone; a worker process of a DataLoader puts its traceback before it."""
    text = str(error)
    if 'Original Traceback' not in text:
        return text
    own = re.split(r'^mmdualhand\.errors\.\w+: ', text, flags=re.MULTILINE)
    return own[-1].strip()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        Exit status.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        print(usage(), file=sys.stderr)
        return USER_ERROR_STATUS
    first, rest = arguments[0], arguments[1:]
    if first in ('-h', '--help'):
        print(usage())
        return 0
    if first == '--version':
        print(f'mmdualhand {__version__}')
        return 0
    return run(first, rest)
