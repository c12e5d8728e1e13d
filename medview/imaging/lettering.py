"""Letters, corner texts, colour bar and score strip on a finished picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from medview.domain.report import ColourBar
from medview.domain.resources import resource
from medview.imaging.marks import DrawnMark
from medview.imaging.view import Frame

Colour = tuple[int, int, int]

ACCENT: Colour = (90, 169, 230)
_ATTENTION: Colour = (232, 163, 61)
_STRONG: Colour = (238, 241, 245)
_TEXT: Colour = (213, 217, 223)
_QUIET: Colour = (168, 176, 188)

# Below these widths or heights texts would cover the picture.
_ROOM_FOR_LETTERS = 64
_ROOM_FOR_TEXT = 200
# So many colour bars stand beside each other, so many letters apart.
_MOST_BARS, _BAR_STEP = 3, 7.5
# Lines of masks without and with bars above them.
_MOST_PATCHES, _FEW_PATCHES = 12, 3


@dataclass(frozen=True, slots=True)
class _Text:
    """A piece of text: where its anchor stands (Pillow's two-letter anchors) and how it looks."""

    words: str
    at: tuple[float, float]
    anchor: str
    weight: str = "Regular"
    px: float = 12.0
    colour: Colour = _TEXT


def write(picture: Image.Image, frame: Frame, text_px: float) -> None:
    """Draw all that is text or legend on `picture`, in place."""
    room = min(picture.size)
    texts: list[_Text] = []
    if room >= _ROOM_FOR_LETTERS and frame.annotations != "none":
        texts += _edge_letters(frame, picture.size, text_px)
    if room >= _ROOM_FOR_TEXT:
        texts += _corner_texts(frame, picture.size, text_px)
        if frame.missing:
            middle = (picture.width / 2, picture.height / 2)
            texts.append(_Text("This slice is missing", middle, "mm", "SemiBold", text_px))
        if frame.annotations != "none":
            texts += _colour_bars(picture, frame.colour_bars, text_px)
        if len(frame.strip) == frame.slices and frame.annotations == "all":
            _score_strip(picture, frame, text_px)
    _draw(picture, texts)


def write_marks(
    picture: Image.Image,
    marks: Sequence[DrawnMark],
    out: Callable[[float, float], tuple[float, float]],
    text_px: float,
) -> None:
    """Draw boxes with their words, in place; `out` takes pixels of the frame to the picture."""
    if not marks:
        return
    lines = Image.new("L", picture.size)
    pen = ImageDraw.Draw(lines)
    texts = []
    for mark in marks:
        corners = [out(x, y) for x, y in mark.corners]
        pen.line([*corners, corners[0]], 150, 1)
        left, top = min(x for x, _ in corners), min(y for _, y in corners)
        at = (left + 0.5 * text_px, top + 0.4 * text_px)
        texts.append(_Text(mark.text, at, "la", "SemiBold", text_px, _ATTENTION))
    picture.paste(_ATTENTION, (0, 0, *picture.size), lines)
    _draw(picture, texts)


@lru_cache(maxsize=32)
def _font(weight: str, px: float) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(resource("fonts", f"Inter-{weight}.otf")), px)


def _draw(picture: Image.Image, texts: list[_Text]) -> None:
    """All texts with one soft dark halo beneath them."""
    if not texts:
        return
    halo = Image.new("L", picture.size)
    pen = ImageDraw.Draw(halo)
    for text in texts:
        font = _font(text.weight, text.px)
        pen.text(text.at, text.words, 255, font, text.anchor, stroke_width=2)
    halo = halo.filter(ImageFilter.GaussianBlur(1.5)).point([min(230, 2 * n) for n in range(256)])
    picture.paste((0, 0, 0), (0, 0, *picture.size), halo)
    pen = ImageDraw.Draw(picture)
    for text in texts:
        pen.text(text.at, text.words, text.colour, _font(text.weight, text.px), text.anchor)


def _edge_letters(frame: Frame, size: tuple[int, int], text_px: float) -> list[_Text]:
    """The four orientation letters, bold, in the middle of the edges."""
    width, height = size
    margin = 0.8 * text_px
    places = (
        (frame.labels.left, (margin, height / 2), "lm"),
        (frame.labels.right, (width - margin, height / 2), "rm"),
        (frame.labels.top, (width / 2, margin), "mt"),
        (frame.labels.bottom, (width / 2, height - margin), "mb"),
    )
    px = text_px * 14 / 12
    return [_Text(word, at, anchor, "Bold", px, _STRONG) for word, at, anchor in places if word]


def _corner_texts(frame: Frame, size: tuple[int, int], text_px: float) -> list[_Text]:
    """Texts of the corners, the first line of each a little brighter than the rest."""
    width, height = size
    margin, line = 0.8 * text_px, 1.35 * text_px
    corners = frame.corners
    texts = []
    for lines, x, side in (
        (corners.top_left, margin, "l"),
        (corners.top_right, width - margin, "r"),
    ):
        for n, words in enumerate(lines):
            colour = _TEXT if n == 0 else _QUIET
            at = (x, margin + n * line)
            texts.append(_Text(words, at, side + "a", px=text_px, colour=colour))
    for lines, x, side in (
        (corners.bottom_left, margin, "l"),
        (corners.bottom_right, width - margin, "r"),
    ):
        for n, words in enumerate(reversed(lines)):
            colour = _TEXT if n == len(lines) - 1 and len(lines) > 1 else _QUIET
            at = (x, height - margin - n * line)
            texts.append(_Text(words, at, side + "d", px=text_px, colour=colour))
    return texts


def _colour_bars(picture: Image.Image, bars: tuple[ColourBar, ...], text_px: float) -> list[_Text]:
    """A bar for each of the upper maps, the topmost at the edge; several bear their names."""
    masks = [bar for bar in bars if bar.is_swatch]
    bars = tuple(bar for bar in bars if not bar.is_swatch)
    texts = _patches(picture, masks, text_px, below=bool(bars))
    for place, bar in enumerate(bars[:_MOST_BARS]):
        shift = place * _BAR_STEP * text_px
        texts += _colour_bar(picture, bar, text_px, shift)
        if len(bars) > 1:
            at = (picture.width - 3.4 * text_px - shift, 0.71 * picture.height + 0.5 * text_px)
            texts.append(_Text(bar.title, at, "ra", px=0.8 * text_px, colour=_QUIET))
    return texts


def _patches(
    picture: Image.Image, masks: Sequence[ColourBar], text_px: float, *, below: bool
) -> list[_Text]:
    """Colour and name of each mask in lines at the right edge, `below` the bars of other maps."""
    side, right = round(0.8 * text_px), picture.width - 4 * text_px
    top = (0.71 if below else 0.29) * picture.height + (2 * text_px if below else 0)
    most = _FEW_PATCHES if below else _MOST_PATCHES
    pen = ImageDraw.Draw(picture)
    texts = []
    for number, mask in enumerate(masks[:most]):
        y = top + 1.5 * number * text_px
        words = mask.title
        if number == most - 1 and len(masks) > most:
            words = f"{len(masks) - number} more"
        else:
            colour = tuple(int(part) for part in mask.colours[0])
            pen.rectangle((right - side, y, right, y + side), fill=colour)
        at = (right - 1.5 * side, y + side / 2)
        texts.append(_Text(words, at, "rm", px=0.9 * text_px))
    return texts


def _colour_bar(
    picture: Image.Image, bar: ColourBar, text_px: float, shift: float = 0.0
) -> list[_Text]:
    """The colours from high to low with a tick at the threshold; returns the numbers."""
    width, height = round(0.8 * text_px), round(0.42 * picture.height)
    left = round(picture.width - 4 * text_px - width - shift)
    top = round(0.5 * (picture.height - height))
    colours = Image.fromarray(np.ascontiguousarray(bar.colours[::-1, None, :]))
    picture.paste(colours.resize((width, height), Image.Resampling.BILINEAR), (left, top))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((left - 1, top - 1, left + width, top + height), outline=(70, 76, 86))
    ticks = {round(top + share * height): number for share, number in _three_numbers(bar)}
    texts = []
    level = _share(bar)
    if level is not None and bar.threshold is not None:
        y = round(top + (1 - level) * height)
        pen.line((left - 3, y, left + width + 2, y), fill=_STRONG, width=2)
        ticks = {at: number for at, number in ticks.items() if abs(at - y) > 1.1 * text_px}
        texts.append(_number(bar.threshold, (left - 6, y), text_px, _STRONG))
    texts += [_number(number, (left - 6, at), text_px, _TEXT) for at, number in ticks.items()]
    if bar.unit not in ("", "1"):
        at = (left + width, top - 0.9 * text_px)
        texts.append(_Text(bar.unit, at, "rd", px=text_px, colour=_QUIET))
    return texts


def _three_numbers(bar: ColourBar) -> tuple[tuple[float, float], ...]:
    """Share from the top of the bar, and the number there."""
    return (0.0, bar.high), (0.5, (bar.low + bar.high) / 2), (1.0, bar.low)


def _share(bar: ColourBar) -> float | None:
    """Where the threshold stands between low and high; None where it is off the bar."""
    if bar.threshold is None or bar.high <= bar.low:
        return None
    share = (bar.threshold - bar.low) / (bar.high - bar.low)
    return share if 0 < share <= 1 else None


def _number(value: float, at: tuple[float, float], text_px: float, colour: Colour) -> _Text:
    return _Text(f"{value:.3g}", at, "rm", px=0.9 * text_px, colour=colour)


def _score_strip(picture: Image.Image, frame: Frame, text_px: float) -> None:
    """One bar a slice above the lower edge, the current slice in blue."""
    width, tallest = 0.44 * picture.width, 2.2 * text_px
    left, base = 0.5 * (picture.width - width), picture.height - 3.2 * text_px
    scores = np.nan_to_num(np.array(frame.strip, dtype=float))
    heights = tallest * scores / max(float(scores.max(initial=0.0)), 1e-12)
    step = width / max(len(scores), 1)
    pen = ImageDraw.Draw(picture)
    pen.line((left, base, left + width, base), fill=(70, 76, 86))
    for n, height in enumerate(heights):
        x = left + n * step
        is_current = n == frame.slice
        tall = tallest * 1.1 if is_current else max(float(height), 0.0)
        colour = ACCENT if is_current else _ATTENTION
        if tall >= 0.5:
            pen.rectangle((x, base - tall, x + max(step - 1, 1) - 0.5, base), fill=colour)
