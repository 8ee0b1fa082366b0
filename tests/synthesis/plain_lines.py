"""Writers and tiles without anything random."""

import numpy as np

from skdigits.synthesis.sheet import Tiles
from skdigits.synthesis.writers import Writers

PLAIN = {
    "slant": 0.0,
    "aspect": 1.0,
    "gap": 0.25,
    "gap_change": 0.0,
    "size_change": 0.0,
    "slope": 0.0,
    "wobble": 0.0,
    "thickness": 0.5,
    "is_level": True,
    "cell": np.nan,
    "joins": 0.0,
}


def plain(n_lines=1, **changed):
    """Writers of lines."""
    values = {name: np.full(n_lines, value) for name, value in (PLAIN | changed).items()}
    return Writers(**values, drawn=np.zeros((n_lines, 10), bool))


def blocks(sizes, line=None, **changed):
    """Bright digits of these heights and widths, all on one line by default."""
    n = len(sizes)
    options = {
        "level": np.nan,
        "is_raised": False,
        "is_joined": False,
        "has_point": False,
        "is_comma": False,
    }
    return Tiles(
        [np.full(size, 255, np.uint8) for size in sizes],
        np.zeros(n, int) if line is None else np.asarray(line),
        np.array([height for height, _ in sizes], float),
        **{
            name: np.array(np.broadcast_to(value, n)) for name, value in (options | changed).items()
        },
    )
