"""Rules that every file keeps and that no linter checks."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / 'mmdualhand').rglob('*.py'))
TEXTS = sorted(
    file
    for folder in ('mmdualhand', 'configs', 'tools', 'docs', 'projects', 'requirements')
    for file in (ROOT / folder).rglob('*')
    if file.suffix in {'.py', '.md', '.txt', '.sh'}
) + [ROOT / name for name in ('README.md', 'CHANGELOG.md', 'setup.py', 'Makefile')]

MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 50


def name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def code_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    length = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node) is not None:
        length -= node.body[0].end_lineno - node.body[0].lineno + 1
    return length


@pytest.mark.parametrize('file', MODULES, ids=name)
def test_module(file: Path) -> None:
    source = file.read_text(encoding='utf-8')
    tree = ast.parse(source)
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert not asserts, f'user input is checked with raise, not assert: lines {asserts}'
    assert len(source.splitlines()) < MAX_FILE_LINES
    functions = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
    long = {f.name: code_lines(f) for f in functions if code_lines(f) >= MAX_FUNCTION_LINES}
    assert not long, f'functions of {MAX_FUNCTION_LINES} lines or more: {long}'
    if functions:
        assert 'from __future__ import annotations' in source
    assert 'torchvision' not in imported_roots(tree)


def imported_roots(tree: ast.Module) -> set[str]:
    roots = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            roots |= {alias.name.split('.')[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            roots.add(node.module.split('.')[0])
    return roots


@pytest.mark.parametrize('file', TEXTS, ids=name)
def test_text(file: Path) -> None:
    text = file.read_text(encoding='utf-8')
    paths = re.findall(r'(?<![\w.])/(?:work|tmp|root|home|mnt|Users)/[\w./-]*', text)
    assert not paths, f'paths of one machine: {paths}'
    for word in (r'coming soon', r'\bTODO\b', r'\bFIXME\b', r'\bXXX\b', r'shared/(?:design|prototype)'):
        assert not re.search(word, text, flags=re.IGNORECASE), word


def test_code_lines_leaves_out_the_docstring() -> None:
    source = 'def f(a):\n    """One.\n\n    Two.\n    """\n    b = a\n    return b\n'
    assert code_lines(ast.parse(source).body[0]) == 3
