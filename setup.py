"""Build and installation of mmdualhand; every other setting is in pyproject.toml."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

if not (3, 10) <= sys.version_info[:2] <= (3, 12):
    sys.exit(
        f'mmdualhand needs Python 3.10, 3.11 or 3.12, and this is Python {sys.version_info[0]}.'
        f'{sys.version_info[1]}: torch 2.13 has no build for 3.9 and older, numpy 1.26 none for 3.13 '
        'and newer.'
    )

from setuptools import find_packages, setup  # noqa: E402
from setuptools.command.build_py import build_py  # noqa: E402

ROOT = Path(__file__).resolve().parent
PACKAGE = 'mmdualhand'
EXTRAS = ('tests', 'docs', 'fast', 'export', 'mediapipe', 'notebook', 'pictures', 'optional')


def read_requirements(name: str) -> list[str]:
    """Requirement lines of requirements/<name>.txt without comments."""
    text = (ROOT / 'requirements' / f'{name}.txt').read_text(encoding='utf-8')
    lines = (line.split('#', 1)[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def read_version() -> str:
    """The value of ``__version__`` in the package, read without importing it."""
    text = (ROOT / PACKAGE / '__init__.py').read_text(encoding='utf-8')
    match = re.search(r"^__version__ = '([^']+)'", text, flags=re.MULTILINE)
    if match is None:
        raise ValueError(f'{PACKAGE}/__init__.py has no line __version__ = ...')
    return match.group(1)


class BuildWithConfigs(build_py):
    """Put the top-level ``configs/`` into the wheel as ``mmdualhand/configs``.

    An editable installation needs no copy: there the configs are read from the
    checkout.
    """

    def _config_files(self) -> list[tuple[Path, Path]]:
        target = Path(self.build_lib) / PACKAGE / 'configs'
        sources = sorted(file for kind in ('*.py', '*.yml') for file in (ROOT / 'configs').rglob(kind))
        return [(source, target / source.relative_to(ROOT / 'configs')) for source in sources]

    def run(self) -> None:
        """Build the modules, then copy the configs."""
        super().run()
        if getattr(self, 'editable_mode', False):
            return
        shutil.rmtree(Path(self.build_lib) / PACKAGE / 'configs', ignore_errors=True)
        for source, target in self._config_files():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """The files that this command writes."""
        outputs = super().get_outputs(include_bytecode)
        if getattr(self, 'editable_mode', False):
            return outputs
        return outputs + [str(target) for _, target in self._config_files()]


setup(
    name=PACKAGE,
    version=read_version(),
    description='Cross-domain 3D hand pose estimation with RGB and depth, on mmengine',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.10,<3.13',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed', 'synthesis/data/*.npz', 'kinematics/data/*.json']},
    install_requires=read_requirements('runtime'),
    extras_require={name: read_requirements(name) for name in EXTRAS},
    entry_points={'console_scripts': [f'{PACKAGE} = {PACKAGE}.cli.main:main']},
    cmdclass={'build_py': BuildWithConfigs},
    zip_safe=False,
)
