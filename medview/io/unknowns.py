"""Warnings for what a file does not say of its place; the same words in every format."""

from __future__ import annotations

from medview.domain.volume import Note

NO_ORIENTATION = Note("UNKNOWN_ORIENTATION", "the file does not say where left and right are")
NO_SPACING = Note("NO_SPACING", "the size of a pixel is not known; nothing can be measured in mm")
NO_POSITION = Note(
    "NO_POSITION",
    "the files do not say where slices lie, so they make no volume; they are shown one by one, in "
    "the order of their numbers",
)
