"""Images that were compressed with loss: all of a stack, some of it or none."""

from __future__ import annotations

from collections.abc import Sequence

from medview.domain.volume import Note
from medview.io.dicom_codecs import SYNTAXES


def is_lossy(marked: str, syntax: str) -> bool:
    """Whether an image was ever compressed with loss.

    `marked` is what its header says of that (0028,2110), `syntax` how it is stored now.
    """
    known = SYNTAXES.get(syntax)
    return marked == "01" or (known is not None and known.lossy)


def loss_notes(lossy: Sequence[bool]) -> tuple[Note, ...]:
    """What to say of a stack, by each of its images; of one of many it is not said of all."""
    count = sum(lossy)
    if not count:
        return ()
    if count == len(lossy):
        return (Note("LOSSY", "the images were compressed with loss"),)
    were = "was" if count == 1 else "were"
    text = f"{count} of {len(lossy)} images {were} compressed with loss"
    return (Note("PARTLY_LOSSY", text),)
