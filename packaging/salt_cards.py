"""Give shipped cards salted marks in the place of plain hashes of the patients they have seen.

    python packaging/salt_cards.py CARD...

Nobody's id is needed for it. A card that has marks stays as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

from medview.io.cards import read_card, write_card


def main() -> None:
    """Read and write each card."""
    for path in map(Path, sys.argv[1:]):
        card = read_card(path)
        write_card(card, path)
        print(f"{path}: {len(card.seen_patients)} patients")


if __name__ == "__main__":
    main()
