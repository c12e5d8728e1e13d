"""Reports as PDF/A-3: written with WeasyPrint, and read back to see whether they still hold."""

from __future__ import annotations

import hashlib
import io
import json
import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from medview.domain.errors import ReadError, WriteError
from medview.domain.progress import Progress
from medview.domain.report import Paper, Report
from medview.domain.resources import resource
from medview.io.atomic import DRAFT, whole_file
from medview.io.page import html_of
from medview.io.pdf_pictures import pictures_in

if TYPE_CHECKING:
    from pikepdf import Object, Page, Pdf, Stream
    from weasyprint import Document


MANIFEST = "manifest.json"
# Beside the draft of a report, and gone with it.
_FONTS = "draft-fonts"
# Streams that describe or attach, or hold the file itself together.
_NOT_DRAWN = ("/Metadata", "/EmbeddedFile", "/ObjStm", "/XRef")
_WEIGHTS = {"Regular": 400, "SemiBold": 600, "Bold": 700}


@dataclass(frozen=True, slots=True)
class PrintedReport:
    """What was read back from a report: its manifest, and whether pages and manifest still fit."""

    manifest: dict[str, Any]
    intact: bool
    pages: int


def write_report(job: Progress, report: Report, path: Path, paper: Paper = "a4") -> int:
    """Write a report as PDF/A-3 with its manifest attached; return the number of pages.

    Metadata carry the title "Report", the time and no identity. The manifest gets
    "pages_sha256", over everything the pages draw, and "manifest_sha256", over the rest of it.

    Raises
    ------
    WriteError
        If the file cannot be written, or the library that lays out pages is not usable; nothing
        new stands at `path` then.
    """
    # Opened first: a place that cannot be written is told before the pages are drawn.
    with whole_file(path) as draft:
        job.report(0, 3, "laying out")
        document = _lay_out(report, paper, draft.with_name(_FONTS))
        job.check()
        job.report(1, 3, "drawing pages")
        drawn = _draw(document, report.manifest)
        job.check()
        job.report(2, 3, "writing")
        draft.write_bytes(_with_hashes(drawn, report.manifest))
    job.report(3, 3)
    return len(document.pages)


def draw_report(report: Report, paper: Paper = "a4") -> bytes:
    """Draw a report as a plain PDF to look at: nothing attached, not tagged.

    Raises
    ------
    WriteError
        If the library that lays out pages is not usable.
    """
    with (
        _fonts_without_time(),
        TemporaryDirectory(prefix=DRAFT) as place,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", ResourceWarning)
        return bytes(_lay_out(report, paper, Path(place) / _FONTS).write_pdf())


def read_report(job: Progress, path: Path) -> PrintedReport:
    """Read a report back and say whether anything in it was changed since it was written.

    Raises
    ------
    ReadError
        If the file is not a PDF, or no report of this program.
    """
    import pikepdf

    try:
        with pikepdf.open(io.BytesIO(path.read_bytes())) as pdf:
            manifest = _manifest_in(pdf, path)
            drawn, pages = pages_sha256(pdf), len(pdf.pages)
    except OSError as error:
        raise ReadError("cannot be read", file=path.name, do="Check the path.") from error
    except (pikepdf.PdfError, pikepdf.DataDecodingError) as error:
        raise ReadError("is not a readable PDF", file=path.name, do="Export it again.") from error
    intact = drawn == manifest.get("pages_sha256")
    intact = intact and manifest_sha256(manifest) == manifest.get("manifest_sha256")
    return PrintedReport(manifest, intact, pages)


def pages_sha256(pdf: Pdf) -> str:
    """SHA-256 over all that the pages of a PDF draw: text, fonts, images, annotations.

    Only metadata and attachments are left out; the order of objects does not matter.
    """
    import pikepdf

    pieces = [_box_of(number, page) for number, page in enumerate(pdf.pages)]
    for item in pdf.objects:
        if isinstance(item, pikepdf.Stream):
            if item.get("/Type") not in _NOT_DRAWN:
                pieces.append(_bytes_of(item))
        elif isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Annot":
            pieces.append(item.unparse(resolved=True))
    hashes = sorted(hashlib.sha256(piece).digest() for piece in pieces)
    return hashlib.sha256(b"".join(hashes)).hexdigest()


def _box_of(number: int, page: Page) -> bytes:
    """What of a page is shown: hiding a part of it is a change, too."""
    boxes = [page.obj.get(name) for name in ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit")]
    return f"page {number} {[box and repr(box) for box in boxes]}".encode()


def manifest_sha256(manifest: Mapping[str, object]) -> str:
    """SHA-256 over a manifest without the hash itself, with sorted keys."""
    rest = {key: value for key, value in manifest.items() if key != "manifest_sha256"}
    text = json.dumps(rest, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes_of(stream: Stream) -> bytes:
    """What a stream says, unpacked; pictures as they are packed, which is much faster."""
    if stream.get("/Subtype") == "/Image":
        return bytes(stream.read_raw_bytes())
    return bytes(stream.read_bytes())


def _manifest_in(pdf: Pdf, path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(pdf.attachments[MANIFEST].get_file().read_bytes())
        if manifest["schema"] != "medview.manifest/1":
            raise ValueError(manifest["schema"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ReadError(
            "no run manifest is attached to this PDF",
            file=path.name,
            do="Only reports written by this program can be verified.",
        ) from error
    return dict(manifest)


def _lay_out(report: Report, paper: Paper, folder: Path) -> Document:
    """The pages of a report; `folder`, which is made, holds their fonts while they are drawn."""
    # Imported here: the files child reads images without it, and Pango may be missing.
    try:
        from weasyprint import CSS, HTML
        from weasyprint.text.fonts import FontConfiguration
    except OSError as error:
        raise WriteError(
            "the text layout library (Pango) is missing, so no PDF can be made",
            do="Install it as the README says and export again.",
        ) from error
    _keep_quiet()
    fonts = FontConfiguration()
    # Else they stay in the system's folder, 800 KB a report, where the process ends at once.
    folder.mkdir()
    fonts._folder = folder
    sheets = (_font_faces(), resource("report", "report.css").read_text("utf-8"), _page_size(paper))
    styles = [CSS(string=sheet, font_config=fonts) for sheet in sheets]
    return HTML(string=html_of(report)).render(
        font_config=fonts, stylesheets=styles, cache=pictures_in(report)
    )


def _draw(document: Document, manifest: Mapping[str, object]) -> bytes:
    from weasyprint import Attachment

    made = datetime.fromisoformat(str(manifest["made_at"]))
    attached = Attachment(
        string="{}",
        name=MANIFEST,
        description="Run manifest",
        relationship="Data",
        created=made,
        modified=made,
    )
    with _fonts_without_time(), warnings.catch_warnings():
        # WeasyPrint leaves closing its colour profile to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        drawn = document.write_pdf(pdf_variant="pdf/a-3b", pdf_tags=True, attachments=[attached])
    return bytes(drawn)


def _with_hashes(drawn: bytes, manifest: Mapping[str, object]) -> bytes:
    """Put the manifest, with the hash of the drawn pages in it, where its place was kept."""
    import pikepdf

    whole = io.BytesIO()
    with pikepdf.open(io.BytesIO(drawn)) as pdf:
        body = dict(manifest) | {"pages_sha256": pages_sha256(pdf)}
        body["manifest_sha256"] = manifest_sha256(body)
        text = json.dumps(body, indent=1, ensure_ascii=False, sort_keys=True).encode()
        stream = next(each for each in pdf.objects if _is_attachment(each))
        stream.write(text)
        stream.Params.Size = len(text)
        # Asked for by the format as a check for damage; SHA-256 is what guards the content.
        digest = hashlib.md5(text, usedforsecurity=False).digest()
        stream.Params.CheckSum = pikepdf.String(digest)
        pdf.save(whole, deterministic_id=True, fix_metadata_version=False)
    return whole.getvalue()


def _is_attachment(item: Object) -> bool:
    import pikepdf

    return isinstance(item, pikepdf.Stream) and item.get("/Type") == "/EmbeddedFile"


@contextmanager
def _fonts_without_time() -> Iterator[None]:
    """Keep fontTools from stamping the time into fonts, so that equal pages are equal bytes."""
    name = "SOURCE_DATE_EPOCH"
    before = os.environ.get(name)
    os.environ[name] = "0"
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def _page_size(paper: Paper) -> str:
    """Letter is shorter: wide margins make pictures less high; lists and long tables are closer."""
    if paper == "letter":
        return (
            "@page { size: letter; margin-left: 15mm; margin-right: 15mm; margin-bottom: 15mm }"
            "section { margin-top: 2.6mm }"
            ".list td { font-size: 7.5pt; line-height: 1.3; padding: 0.4mm 3mm 0.4mm 0 }"
            ".halves.long .grid td { padding-top: 0.5mm; padding-bottom: 0.5mm }"
            ".strip img { height: 9mm }"
        )
    return "@page { size: A4 }"


def _font_faces() -> str:
    """Inter as shipped; where a file is missing the system's sans takes its place."""
    files = {weight: resource("fonts", f"Inter-{name}.otf") for name, weight in _WEIGHTS.items()}
    return "\n".join(
        f'@font-face {{ font-family: Inter; font-weight: {weight}; src: url("{file.as_uri()}") }}'
        for weight, file in files.items()
        if file.is_file()
    )


def _keep_quiet() -> None:
    """Keep what the libraries note out of stderr; it can quote the text of a report."""
    for name in ("weasyprint", "fontTools"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
