"""Tell on the brain-age card what the card of the region network says of the T1 route.

    python packaging/tell_t1_route.py resources/weights/brain-age/card.json

The training of the brain-age model does the same; this is for region weights made since.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from medview.io.cards import read_card, write_card
from medview.learning.region_card import with_image_route


def main() -> None:
    """Read the words, write the card."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("card", type=Path)
    given = parser.parse_args()
    write_card(with_image_route(read_card(given.card)), given.card)


if __name__ == "__main__":
    main()
