"""How to go on from a report: commands with the files of this run."""

from __future__ import annotations

from pathlib import Path

from mmdualhand.apis.model_zoo import config_root
from mmdualhand.apis.report.content import ReportContent
from mmdualhand.apis.report.html import escape, paragraph


def next_steps(content: ReportContent) -> str:
    """Commands that look closer, and those that do it on other data."""
    checkpoint, config = 'CHECKPOINT.pth', 'mini/finetune_stb'
    if content.comparisons:
        last = content.comparisons[-1]
        checkpoint, config = str(last.after), config_name(last.config.filename) or config
    run = str(content.runs[-1].folder) if content.runs else 'WORK_DIR'
    steps = [
        (
            'Pictures of every prediction of a network, and its results per joint:',
            f'mmdualhand test {config} {checkpoint} --show-dir pictures',
        ),
        ('Pseudo-labels of a run in more detail:', f'mmdualhand analyze-pseudo-labels {run}'),
        (
            'The same network on the published data (paths and downloads: docs/datasets.md):',
            'HAND_DATA=/data mmdualhand train pretrain_rhd\nHAND_DATA=/data mmdualhand train finetune_stb',
        ),
        (
            'Pictures of your own, without labels, as target: see docs/own_data.md; examine them first:',
            'mmdualhand check-data --help',
        ),
    ]
    return ''.join(paragraph(escape(text)) + f'<pre>{escape(command)}</pre>' for text, command in steps)


def config_name(filename: str | None) -> str | None:
    """Name of a shipped config; the path of any other; None where a config was made without a file."""
    if not filename:
        return None
    path, root = Path(filename).absolute(), config_root()
    return path.relative_to(root).with_suffix('').as_posix() if path.is_relative_to(root) else filename
