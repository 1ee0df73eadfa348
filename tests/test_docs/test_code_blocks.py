"""Every Python block of README.md and docs/ is run; every file named in a shell block exists."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import mmdualhand
from mmdualhand.cli.common import RUNNER_KEYS
from mmdualhand.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / 'README.md', *sorted((ROOT / 'docs').rglob('*.md'))]
FENCE = re.compile(r'^```(\w+)\n(.*?)^```', flags=re.MULTILINE | re.DOTALL)


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """(line number, text) of every fenced block of one language."""
    text = page.read_text(encoding='utf-8')
    found = [match for match in FENCE.finditer(text) if match.group(1) == language]
    return [(text.count('\n', 0, match.start(2)) + 1, match.group(2)) for match in found]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_python_blocks(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in their order, in one namespace, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    module = ModuleType(f'docs_{page.stem}')  # a module, so that classes of a page can be pickled
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for line, text in blocks(page, 'python'):
        code = compile('\n' * (line - 1) + text, str(page), 'exec')
        exec(code, module.__dict__)


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_shell_blocks(page: Path) -> None:
    """Tools, configs, subcommands and make targets that the page names exist."""
    make_targets = set(re.findall(r'^([a-z]+):', (ROOT / 'Makefile').read_text(), flags=re.MULTILINE))
    for line, text in blocks(page, 'bash'):
        for path in re.findall(r'(?<![\w/.])((?:tools|configs|projects)/[\w./-]+)', text):
            assert (ROOT / path).exists(), f'{page.name} line {line} names {path}'
        for command in re.findall(r'^mmdualhand ([a-z][\w-]*)', text, flags=re.MULTILINE):
            assert command in COMMANDS, f'{page.name} line {line} names mmdualhand {command}'
        for target in re.findall(r'^make ([a-z]+)', text, flags=re.MULTILINE):
            assert target in make_targets, f'{page.name} line {line} names make {target}'


def test_every_top_level_key_is_described() -> None:
    """docs/configs.md has a row for every key of every shipped config."""
    text = (ROOT / 'docs' / 'configs.md').read_text(encoding='utf-8').partition('## Top-level keys')[2]
    first_cells = '\n'.join(re.findall(r'^\|(.*?)\|', text, flags=re.MULTILINE))
    described = set(re.findall(r'`([a-z_]+)`', first_cells))
    for name in mmdualhand.list_models():
        assert set(mmdualhand.get_config(name)) <= described, name
    assert set(RUNNER_KEYS) - {'cfg', 'data_preprocessor', 'runner_type'} <= described


def test_links_between_pages() -> None:
    """Relative links lead to files."""
    broken = []
    for page in PAGES:
        text = FENCE.sub('', page.read_text(encoding='utf-8'))
        for link in re.findall(r'\]\(([^)#:]+)(?:#[^)]*)?\)', text):
            if not (page.parent / link).exists():
                broken.append(f'{page.name}: {link}')
    assert not broken, broken


def test_blocks_gives_the_line_of_the_code(tmp_path: Path) -> None:
    page = tmp_path / 'page.md'
    page.write_text('# Title\n\n```python\na = 1\n```\n\n```bash\nls\n```\n')
    assert blocks(page, 'python') == [(4, 'a = 1\n')]
    assert blocks(page, 'bash') == [(8, 'ls\n')]
