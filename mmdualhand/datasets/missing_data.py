"""What to say to a user whose data is not there."""

from __future__ import annotations

from pathlib import Path

RHD_PAGE = 'https://lmb.informatik.uni-freiburg.de/resources/datasets/RenderedHandposeDataset.en.html'
EMBEDDED_FOLDERS = ('mini', 'small')


def where_to_get(root: Path, *, name: str = 'RHD', page: str = RHD_PAGE, layout: str = 'rhd') -> str:
    """What to do about a missing set; published data never goes into a folder of embedded sets.

    Args:
        root: Folder where the set was looked for.
        name: What the set is called.
        page: Where the published set is found: an address, or words that go on
            with it.
        layout: Name of the embedded set of the same layout, as ``--only`` takes
            it.

    Returns:
        The end of a sentence, with its full stop.
    """
    if root.parent.name in EMBEDDED_FOLDERS:
        command = f'mmdualhand make-mini-benchmark --out {root.parent} --only {layout}'
        return f'make this embedded set with "{command}".'
    return (
        f'get {name} from {page} and unpack it to {root}, or make the embedded set with '
        f'"mmdualhand make-mini-benchmark --out data/mini --only {layout}" and set the environment variable '
        'HAND_DATA=data/mini.'
    )
