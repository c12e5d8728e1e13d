"""``medview render``: the pixels that a pane shows, as a picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from medview.cli.arguments import NewFile, Numbers, keep_apart, reader_choice
from medview.cli.contract import Answer, Context, command
from medview.domain.errors import MedviewError, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from medview.domain.overlay import Laid
    from medview.domain.prediction import Prediction
    from medview.domain.study import Choice
    from medview.domain.volume import Volume
    from medview.services.rendering import Wish

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".tif": "TIFF", ".tiff": "TIFF"}
LAY = "medview.services.laying_work:lay"
_SLAB_MODES = ("mip", "minip", "mean")


class Slab(click.ParamType[tuple[float, str]]):
    """A slab as "MM:mip", "MM:minip" or "MM:mean"."""

    name = "slab"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, str]:
        """Turn "10:mip" into (10.0, "mip"), or say what was expected."""
        if isinstance(value, tuple):
            return value
        thickness, _, mode = str(value).partition(":")
        (mm,) = Numbers("MM").convert(thickness, param, ctx)
        if mode not in _SLAB_MODES or mm <= 0:
            self.fail(f"{value!r} is not a thickness in mm with :mip, :minip or :mean", param, ctx)
        return mm, mode

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Show the form in the help."""
        return "MM:mip|minip|mean"


@command("frame")
@click.argument("path", type=click.Path(path_type=Path, readable=False))
@click.option("--series", metavar="UID[#STACK]", help="Which series, if there are several.")
@click.option(
    "--plane",
    type=click.Choice(["axial", "coronal", "sagittal", "acquired"]),
    default="axial",
    show_default=True,
    help="How to cut; acquired shows rows and columns as stored.",
)
@click.option("--at", type=Numbers("L", "P", "H"), help="A point in LPS mm; crosshair and slice.")
@click.option("--slice", "slice_", type=int, help="Index of the slice along the cut, from 0.")
@click.option("--window", type=Numbers("W", "L"), help="Width and level.")
@click.option("--flip", type=click.Choice(["h", "v"]), multiple=True, help="Mirror the picture.")
@click.option("--rotate", type=click.Choice(["90", "180", "270"]), help="Turn it clockwise.")
@click.option("--slab", type=Slab(), help="Several slices in one picture.")
@click.option("--result", type=click.Path(path_type=Path), help='Folder of "medview run".')
@click.option("--map", "map_", metavar="NAME", help="Map of the result to lay over the image.")
@click.option(
    "--over",
    type=click.Path(path_type=Path),
    help="A segmentation or parametric map (DICOM, of any program) to lay over the image.",
)
@click.option("--opacity", type=float, help="Of the map, 0 to 1.")
@click.option("--range", "range_", type=Numbers("LO", "HI"), help="What its colours span.")
@click.option("--size", type=Numbers("W", "H"), default=(512.0, 512.0), help="Of the picture.")
@click.option(
    "--presentation",
    metavar="NAME|UID|newest|none",
    default="newest",
    show_default=True,
    help="The presentation state to show the image by; none shows it as stored.",
)
@click.option(
    "--out", required=True, type=NewFile(*_FORMATS), help="The picture to write: PNG, JPEG or TIFF."
)
@reader_choice
def render(
    context: Context,
    path: Path,
    out: Path,
    over: Path | None,
    choice: Choice | None,
    **wanted: Any,
) -> Answer:
    """Draw one slice of PATH as a pane shows it, and say where its pixels are in the patient."""
    from medview.io.atomic import whole_file
    from medview.services import library, rendering

    wish = _wish(wanted, has_object=over is not None)
    prediction = _prediction(context, wanted["result"])
    catalogue = library.scan(context.jobs, (path,), choice=choice, progress=context.report)
    with _naming(path):
        series = rendering.only_series(catalogue, wanted["series"])
    volume = library.load(context.jobs, series, progress=context.report)
    heading = rendering.heading_of(catalogue, series, private=context.options.private)
    laid = _laid(context, over, volume) if over is not None else None
    with _naming(path):
        drawn = rendering.render(volume, wish, prediction, laid=laid, heading=heading)
    keep_apart(out, (path, *series.files))
    with whole_file(out) as draft:
        _write_picture(drawn.rgb, draft, _FORMATS.get(out.suffix.lower(), "PNG"))
    return Answer({"file": out.name, "series": series.uid, **drawn.description})


def _wish(wanted: dict[str, Any], *, has_object: bool = False) -> Wish:
    """What the options ask for; they are checked where the volume is known."""
    from medview.domain.geometry import Plane
    from medview.services.rendering import Wish

    _refuse_without_map(wanted, has_object=has_object)
    width, height = (int(side) for side in wanted["size"])
    return Wish(
        plane=Plane(wanted["plane"]),
        at_lps=wanted["at"],
        slice=wanted["slice_"],
        window=wanted["window"],
        flips=wanted["flip"],
        rotate=int(wanted["rotate"] or 0),
        slab=wanted["slab"] or (0.0, "mip"),
        map=wanted["map_"],
        opacity=wanted["opacity"],
        range=wanted["range_"],
        size=(width, height),
        look=wanted["presentation"],
    )


def _refuse_without_map(wanted: dict[str, Any], *, has_object: bool) -> None:
    """What is said of a map needs one."""
    if wanted["map_"] is not None:
        return
    if wanted["result"] is not None:
        raise UsageError("a result needs the name of a map", do='Give it with "--map".')
    if not has_object and not (wanted["opacity"] is wanted["range_"] is None):
        raise UsageError(
            "opacity and range need a map", do='Give "--result" and "--map", or "--over".'
        )


def _prediction(context: Context, folder: Path | None) -> Prediction | None:
    """The result in a folder that "medview run" has written, or None without one."""
    if folder is None:
        return None
    found = context.call("files", "medview.io.results:read_prediction", folder)
    return cast("Prediction", found)


def _laid(context: Context, path: Path, volume: Volume) -> Laid:
    """An object of another program on the grid of the image; in private without its own words."""
    found = cast("Laid", context.call("files", LAY, path, volume.geometry))
    if not context.options.private:
        return found
    maps = (replace(each, title=f"object {n}") for n, each in enumerate(found.maps, 1))
    return replace(found, maps=tuple(maps))


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Let an error that names no file name this one."""
    try:
        yield
    except MedviewError as error:
        error.file = error.file or path.name
        raise


def _write_picture(rgb: NDArray[np.uint8], path: Path, form: str) -> None:
    """Write (height, width, 3) as the format of that name, without any text in it."""
    from PIL import Image

    # Of these formats only JPEG loses something: as little as it can, colours at every pixel.
    more: dict[str, Any] = {"quality": 95, "subsampling": 0} if form == "JPEG" else {}
    Image.fromarray(rgb).save(path, format=form, **more)
