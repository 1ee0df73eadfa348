"""The style sheet of a report: light and dark, desk and phone."""

from __future__ import annotations

from mmdualhand.visualization import CHART_COLOURS

DARK = {
    'ink': '#e6e9ed', 'muted': '#9aa5b1', 'rule': '#333b45', 'wash': '#1d242c', 'stage-1': '#97a2ae',
    'stage-2': '#6aabf2', 'stage-3': '#ff8f66', 'line-1': '#6aabf2', 'line-2': '#ff8f66', 'line-3': '#5fc492',
    'line-4': '#b98af0', 'line-5': '#dfae3d', 'line-6': '#ef7fb8', 'line-7': '#86b9c2',
}  # fmt: skip
"""Colours of the charts on a dark page."""

_RULES = """
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 2.2rem 1.25rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3rem 0 .8rem; padding-top: .9rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1.05rem; margin: 1.9rem 0 .3rem; }
p { max-width: 46rem; margin: .5rem 0; }
.lead { font-size: 1.06rem; color: var(--muted); }
.note { color: var(--muted); font-style: italic; }
nav ul, .legend { list-style: none; padding: 0; margin: .8rem 0; display: flex; flex-wrap: wrap;
  gap: .3rem 1.1rem; }
nav { font-size: .93rem; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
.legend { font-size: .88rem; color: var(--muted); margin: 0 0 .5rem; }
.legend i { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .45em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .85rem; text-align: right; white-space: nowrap; }
th[scope=row], th:first-child { text-align: left; font-weight: 400; padding-left: 0; }
thead th { font-size: .85rem; font-weight: 600; color: var(--muted); line-height: 1.25;
  vertical-align: bottom; border-bottom: 1px solid var(--rule); }
.matrix th:first-child { position: sticky; left: 0; background: var(--paper); }
.matrix tbody tr + tr > * { border-top: 1px solid var(--rule); }
.group th { font-weight: 650; padding-top: .85rem; }
.headline tbody tr:not(.group) th { padding-left: .9rem; }
td strong { font-weight: 700; }
td strong small { font-weight: 400; }
td small { color: var(--muted); }
mark { background: var(--wash); color: inherit; outline: .3em solid var(--wash); border-radius: 2px; }
.absent { color: var(--muted); }
.times td:last-child { width: 40%; min-width: 8rem; padding-right: 0; }
.times table { width: 100%; max-width: 46rem; }
.bar { display: block; height: .6em; background: var(--stage-2); border-radius: 2px; min-width: 2px; }
figure { margin: 1.1rem 0 1.6rem; }
figcaption { color: var(--muted); font-size: .88rem; line-height: 1.45; margin-top: .5rem; max-width: 46rem; }
svg { display: block; width: 100%; height: auto; }
.errors > svg { max-width: 520px; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(280px, 1fr)); gap: 1.1rem 1.4rem; }
.name { margin: 0 0 .35rem; font-size: .92rem; }
.sample { margin: 1rem 0 1.8rem; }
.two { max-width: 760px; grid-template-columns: repeat(auto-fill, minmax(320px, 1fr)); }
.pair { display: grid; grid-template-columns: minmax(0, 39rem) minmax(0, 1fr); gap: 0 2.4rem;
  align-items: start; }
.headline { width: 100%; }
.pair > :first-child { order: 2; }
.compared { display: grid; grid-auto-flow: column; grid-template-rows: auto auto;
  grid-auto-columns: minmax(0, 184px); gap: .5rem; }
.worst { display: grid; grid-template-columns: repeat(3, minmax(0, 224px)); gap: .5rem; }
.tile { display: flex; flex-direction: column; font-size: .8rem; color: var(--muted);
  line-height: 1.3; min-width: 0; }
.tile > span:last-child { padding-top: .15rem; }
.tile img, .empty { display: block; width: 100%; height: auto; aspect-ratio: 1; border-radius: 4px; }
.tile.after small { color: var(--stage-3); }
.tile.before small { color: var(--stage-2); }
.empty { display: grid; place-items: center; background: var(--wash); }
.coarse { image-rendering: pixelated; }
pre { background: var(--wash); padding: .75rem 1rem; border-radius: 6px; overflow-x: auto; font-size: .86rem;
  line-height: 1.5; margin: .3rem 0 1.1rem; }
@media (max-width: 1040px) { .pair { display: block; } }
@media (max-width: 720px) {
  .two { grid-template-columns: 1fr; }
  main { padding: 1.3rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  th, td { padding: .3rem .5rem; font-size: .92rem; }
  .headline tbody tr:not(.group) th { padding-left: .2rem; }
  td small { display: block; }
  .compared { grid-auto-flow: row; grid-template-rows: none; grid-template-columns: 1fr 1fr; }
}
@media print { nav { display: none; } figure, table { break-inside: avoid; } }
"""


def style_sheet() -> str:
    """CSS of the whole page."""
    light = {'paper': '#ffffff', 'link': '#1f66b3', **CHART_COLOURS}
    dark = {'paper': '#12161b', 'link': '#7db7f5', **DARK}
    return (
        f':root {{ color-scheme: light dark; {_variables(light)} }}\n'
        f'@media (prefers-color-scheme: dark) {{ :root {{ {_variables(dark)} }} }}\n{_RULES.strip()}\n'
    )


def _variables(colours: dict[str, str]) -> str:
    return ' '.join(f'--{name}: {value};' for name, value in colours.items())
