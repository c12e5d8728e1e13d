"""Drawn chest films: two lungs whose zones are the whiter, the higher their score."""

from __future__ import annotations

import csv

import numpy as np
from PIL import Image

ROWS, COLUMNS = 200, 180


def two_lungs(shape=(200, 180), left=(100, 50), right=(100, 130), radii=(60, 30)):
    """Masks of two ellipses side by side, the left of the picture first."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return [
        ((rows - r) / radii[0]) ** 2 + ((columns - c) / radii[1]) ** 2 < 1 for r, c in (left, right)
    ]


def lungs(shift=(0, 0)):
    row = 100 + shift[0]
    sides = (row, 52 + shift[1]), (row, 128 + shift[1])
    return two_lungs((ROWS, COLUMNS), *sides, radii=(62, 30))


def picture(scores=(0, 0, 0, 0, 0, 0), seed=0, shift=(0, 0), line=False):
    """Grey 0..255 (200, 180); `line` draws a tube, as severe films have."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:ROWS, :COLUMNS]
    body = ((rows - 110) / 105) ** 2 + ((columns - 90) / 86) ** 2 < 1
    found = 40.0 + 160 * body + 12 * (rows % 18 < 5) * body
    for side, lung in enumerate(lungs(shift)):
        third = np.clip((rows - 38 - shift[0]) * 3 // 124, 0, 2)
        for zone in range(3):
            here = lung & (third == zone)
            found[here] -= 120 - 25 * scores[3 * side + zone]
    if line:
        found[20:120, 88:92] = 255
    found += rng.normal(0, 4, found.shape)
    return np.clip(found, 0, 255).astype(np.uint8)


def case_list(folder, n=24, seed=0):
    """A case list of n drawn films: half with an outcome, half with scores; path of the CSV."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        severe = bool(k % 2)
        scores = rng.integers(2 * severe, 4 if severe else 2, 6)
        Image.fromarray(picture(scores, seed=k, line=severe)).save(folder / f"{k}.png")
        outcome = k < n // 2
        rows.append(
            {
                "case": f"c{k}",
                "patient": f"p{k}",
                "site": "ab"[k // 2 % 2],
                "film": f"{k}.png",
                "prognosis": ("SEVERE" if severe else "MILD") if outcome else "",
                "brixia": "" if outcome else "".join(map(str, scores)),
            }
        )
    path = folder / "cases.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def lung_films(folder, n=6):
    """Films of covid-chestxray with lung masks, the last one lateral and without."""
    columns = ("patient_key", "image_file", "view", "finding", "brixia_senior_Global", "lung_mask")
    mask = (np.logical_or(*lungs()) * 255).astype(np.uint8)
    rows = []
    for k in range(n):
        lateral = k == n - 1
        Image.fromarray(picture(seed=k)).save(folder / f"{k}.png")
        Image.fromarray(mask).save(folder / f"{k}-lungs.png")
        view, beside = ("L", "") if lateral else ("PA", f"{k}-lungs.png")
        rows.append((f"p{k}", f"{k}.png", view, "", "", beside))
    with (folder / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
