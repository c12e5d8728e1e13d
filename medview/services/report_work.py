"""What the child for pages does to show and write a report; nothing of it is imported elsewhere.

A preview is made again with every few words that are typed. What is heavy in it, pixels and maps,
is sent once and held here, and so are the sections that only depend on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from medview.domain.errors import MedviewError, ReadError
from medview.domain.key_image import KeyImage
from medview.domain.progress import Progress
from medview.domain.report import Report, Section
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.io import readers
from medview.io.atomic import written_at
from medview.io.dicom_instances import instance_of
from medview.io.page_pictures import page_pictures
from medview.io.pdf import draw_report, write_report
from medview.services.report_kept import keep_signed
from medview.services.report_marks import Marked, acquired_image
from medview.services.report_material import Material
from medview.services.report_order import Copied, Heavy, Order, Preview, Written
from medview.services.report_templates import template_for
from medview.services.report_words import SPOKEN, in_words
from medview.services.reporting import SECTIONS, build_report

NOT_HELD = "MV-RPT-010"
# Sections made of pixels alone, whatever the reader writes.
_OF_PIXELS = "pictures"
_MOST_LOADED = 2


@dataclass(slots=True, eq=False)
class _Held:
    number: int = -1
    heavy: Heavy = field(default_factory=lambda: Heavy(None, ()))
    pictures: tuple[Section, ...] | None = None
    marked: tuple[str, tuple[Section, ...]] = ("", ())
    loaded: dict[tuple[str, int], Volume] = field(default_factory=dict)
    instances: dict[tuple[str, int, int], str] = field(default_factory=dict)


_held = _Held()


def hold(job: Progress, number: int, heavy: Heavy) -> None:
    """Keep what is heavy under a number, in place of what was held before."""
    job.check()
    _held.number, _held.heavy, _held.pictures = number, heavy, None
    _held.marked, _held.loaded, _held.instances = ("", ()), {}, {}


def preview(job: Progress, number: int, material: Material, order: Order, width: int) -> Preview:
    """Lay a report out and draw its pages `width` pixels wide.

    Raises
    ------
    MedviewError
        With the code `NOT_HELD` if something else is held by now.
    """
    report = _report(job, number, material, order)
    job.report(1, 2, "drawing pages")
    pages = page_pictures(draw_report(report, order.paper), width)
    return Preview(pages, report.status, report.title)


def build_and_write(
    job: Progress, number: int, material: Material, order: Order, path: Path
) -> Written:
    """Make a report and write it.

    Raises
    ------
    UsageError
        If a signed report of another id stands at `path`.
    """
    keep_signed(job, path, order.report_id)
    report = _report(job, number, material, order)
    job.check()
    job.report(1, 2, "laying out the pages")
    pages = write_report(job, report, path, order.paper)
    made = report.report_id, report.content_sha256, report.status
    return Written(pages, *made, written_at(path))


def words(job: Progress, number: int, material: Material, order: Order) -> Copied:
    """The words of a report, without a page."""
    return in_words(_report(job, number, material, order, SPOKEN))


def _report(
    job: Progress, number: int, light: Material, order: Order, only: tuple[str, ...] = ()
) -> Report:
    """The whole report, or with `only` some of its sections."""
    if number != _held.number:
        raise MedviewError("the images of the report are not here any more", code=NOT_HELD)
    job.report(0, 2, "drawing the pictures")
    predictions = _held.heavy.predictions
    outcomes = tuple(
        replace(each, prediction=whole)
        for each, whole in zip(light.outcomes, predictions, strict=True)
    )
    marked = light.marked if only else tuple(_with_pixels(job, each) for each in light.marked)
    material = replace(light, volume=_held.heavy.volume, outcomes=outcomes, marked=marked).as_told()
    names = tuple(each.model for each in predictions)
    roles = tuple(ref.role for each in predictions for ref in each.inputs)
    template = template_for(order.template or None, names, roles)
    if only:
        kept = tuple(each for each in template.sections if each in only)
        return build_report(material, replace(template, sections=kept), report_id=order.report_id)
    ready = _ready(material) if _OF_PIXELS in template.sections else {}
    return build_report(material, template, report_id=order.report_id, ready=ready)


def _ready(material: Material) -> Mapping[str, tuple[Section, ...]]:
    """Sections that did not change since the last time."""
    if _held.pictures is None:
        _held.pictures = SECTIONS[_OF_PIXELS](material)
    shown = repr([(each.in_words, each.window, each.number) for each in material.marked])
    shown += str(material.private)
    if _held.marked[0] != shown:
        _held.marked = shown, SECTIONS["marked"](material)
    return {_OF_PIXELS: _held.pictures, "marked": _held.marked[1]}


def _with_pixels(job: Progress, marked: Marked) -> Marked:
    """Pixels and names of marked images: those on screen, or read once more; None if that fails."""
    series = marked.series
    volume = _held.heavy.volume if series is None else _loaded(job, series, marked.time)
    return replace(marked, volume=volume, instances=_instances(marked))


def _instances(marked: Marked) -> tuple[str, ...]:
    """What DICOM calls each key image; every file is asked once."""
    return tuple(_instance(marked.files, marked.time, image) for image in marked.images)


def _instance(series: Series | None, time: int, image: KeyImage) -> str:
    place = acquired_image(image, series.geometry if series else None)
    if series is None or place is None:
        return ""
    key = (series.key, time, place)
    if key not in _held.instances:
        _held.instances[key] = instance_of(series, time, place)
    return _held.instances[key]


def _loaded(job: Progress, series: Series, time: int) -> Volume | None:
    key = (series.key, time)
    if key not in _held.loaded:
        try:
            volume = readers.load(job, series, time)
        except ReadError:
            return None
        while len(_held.loaded) >= _MOST_LOADED:
            _held.loaded.pop(next(iter(_held.loaded)))
        _held.loaded[key] = volume
    return _held.loaded[key]
