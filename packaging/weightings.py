"""Which volumes are told to be unlike T1 by the brightness of their cortex.

    python packaging/weightings.py [--slices MM] FILE...

Prints how bright the cortex of each is, as a share of its white matter's brightness, and whether
a run of the anomaly model would tell it. With --slices neighbouring axial slices are put
together first, to be about so many millimetres apart.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tilted_heads import in_slices

from medview.learning.brain import prepare
from medview.learning.images import read_image
from medview.learning.weighting import cortex_share, weighting_notes


def main() -> None:
    """Print a line for each file, then how many were told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--slices", type=float, default=0.0, metavar="MM")
    given = parser.parse_args()
    told = 0
    for file in given.files:
        prepared = prepare(in_slices(read_image(file), given.slices))
        share, notes = cortex_share(prepared), weighting_notes(prepared)
        told += bool(notes)
        words = "no deep part" if share is None else f"{share:.3f}"
        print(f"{file.name}: {words}{', told' if notes else ''}", flush=True)
    print(f"{told} of {len(given.files)} volumes are told")


if __name__ == "__main__":
    main()
