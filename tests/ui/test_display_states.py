"""Eleven series, each turned and mirrored in all sixteen ways: 176 pictures of the pane.

Letters and the bright voxel are read from painted pixels, and held against the table of the
series alone: nothing of how the program finds them is used.
"""

from dataclasses import replace
from itertools import permutations, product

import numpy as np
import pytest
from phantoms import BASE_CASES
from PySide6.QtGui import QImage, QPainter

from medview.domain.geometry import Plane
from medview.imaging.view import Labels
from medview.ui import furniture

EDGES = ("left", "right", "top", "bottom")
WORDS = (*"LRAPHF", *("".join(pair) for pair in permutations("LRAPHF", 2)))
# What stands at an edge after a mirroring or a quarter turn clockwise stood there before.
MIRRORED = {"left": "right", "right": "left", "top": "top", "bottom": "bottom"}
TOPPLED = {"left": "left", "right": "right", "top": "bottom", "bottom": "top"}
TURNED = {"left": "bottom", "right": "top", "top": "left", "bottom": "right"}
STATES = tuple(product((False, True), (False, True), (0, 90, 180, 270)))


def pixels_of(image):
    image = image.convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : image.width()].astype(int)


def patches(pixels):
    """The places of the four letters in a picture of the pane."""
    rows, columns = pixels.shape
    middle, centre = rows // 2, columns // 2
    return {
        "left": pixels[middle - 12 : middle + 12, 6:44],
        "right": pixels[middle - 12 : middle + 12, columns - 44 : columns - 6],
        "top": pixels[6:30, centre - 20 : centre + 20],
        "bottom": pixels[rows - 30 : rows - 6, centre - 20 : centre + 20],
    }


def written(pane, word):
    """The patches of a pane that bears this word at all four edges and nothing else."""
    image = QImage(pane.grab().size(), QImage.Format.Format_RGB32)
    image.fill(0)
    with QPainter(image) as painter:
        furniture.draw_letters(painter, pane.area, Labels(word, word, word, word))
    return patches(pixels_of(image))


@pytest.fixture
def reader(bench):
    """Reads the four words of the main pane from its pixels."""
    alphabet = {}

    def read(pixels):
        if not alphabet:
            alphabet.update({word: written(bench.pane(), word) for word in WORDS})
        found, here = {}, patches(pixels)
        for edge in EDGES:
            away = {w: int(np.abs(p[edge] - here[edge]).sum()) for w, p in alphabet.items()}
            nearest = min(away, key=away.get)
            found[edge] = nearest if away[nearest] < 200 else "?"
        return found

    return read


def standing(flip_h, flip_v, rotate):
    """Which stored edge is at which edge now: mirrored first, then turned clockwise."""
    stored = {}
    for edge in EDGES:
        stored[edge] = edge
        for _ in range(rotate // 90):
            stored[edge] = TURNED[stored[edge]]
        for wanted, swapped in ((flip_v, TOPPLED), (flip_h, MIRRORED)):
            stored[edge] = swapped[stored[edge]] if wanted else stored[edge]
    return stored


def test_letters_and_the_bright_voxel_agree_in_all_176_states(bench, reader):
    wrong, states = [], 0
    for number, case in enumerate(BASE_CASES):
        bench.show(with_lit_corners(case.volume), uid=f"1.{number}")
        viewing, pane = bench.app.viewing, bench.session.active_pane
        if bench.session.maximised is None:
            viewing.maximise(pane)
        viewing.set_plane(pane, Plane.ACQUIRED)
        viewing.set_point(case.point_lps)
        viewing.zoom(pane, 0.5)  # the letters stand on black
        if bench.session.views[pane].crosshair:
            viewing.toggle_crosshair()
        for flip_h, flip_v, rotate in STATES:
            view = bench.session.views[pane]
            turned = replace(view, flip_h=flip_h, flip_v=flip_v, rotate=rotate)
            bench.session.views = bench.session.views | {pane: turned}
            bench.settle()
            pixels = pixels_of(bench.pane(pane).grab().toImage())
            stored = standing(flip_h, flip_v, rotate)
            found = reader(pixels)
            told = {edge: getattr(case, stored[edge])[:2] for edge in EDGES}
            # The voxel lies up and to the left of the middle of what is stored.
            across, down = blob(pixels)
            sides = {"left" if across < 0 else "right", "top" if down < 0 else "bottom"}
            if found != told or {stored[side] for side in sides} != {"left", "top"}:
                wrong.append((case.name, flip_h, flip_v, rotate, found, told, sides))
            states += 1
    assert wrong == []
    assert states == 176


def with_lit_corners(volume):
    """The series with its corners faintly lit, so that the pane fits all of it, not the voxel."""
    lit = volume.array.copy()
    lit[:, :: lit.shape[1] - 1, :: lit.shape[2] - 1] = 200
    return replace(volume, array=lit)


def blob(pixels):
    """How far right and down of the middle of the pane its bright voxel is."""
    rows, columns = pixels.shape
    inner = pixels[rows // 5 : -rows // 5, columns // 5 : -columns // 5]
    down, across = (np.average(axis, weights=inner) for axis in np.indices(inner.shape))
    return across - (inner.shape[1] - 1) / 2, down - (inner.shape[0] - 1) / 2
