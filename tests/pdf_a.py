"""Clauses of PDF/A-3 (ISO 19005-3, level B) and of tagged PDF, as far as they can be read back.

Each clause gives the faults that it finds in an open file, in words; none means that it holds.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pikepdf
from fontTools.ttLib import TTFont
from pikepdf import Dictionary, Name, Pdf, Stream

# Operators of ISO 32000-1, Annex A.
_WORDS = (
    "b B b* B* BDC BI BMC BT BX c cm CS cs d d0 d1 Do DP EI EMC ET EX f F f* G g gs h i ID j J K "
    "k l m M MP n q Q re RG rg ri s S SC sc SCN scn sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w "
    "W W* y ' \""
)
OPERATORS = {*_WORDS.split(), "INLINE IMAGE"}
BLENDS = {
    "/Normal", "/Compatible", "/Multiply", "/Screen", "/Overlay", "/Darken", "/Lighten",
    "/ColorDodge", "/ColorBurn", "/HardLight", "/SoftLight", "/Difference", "/Exclusion",
    "/Hue", "/Saturation", "/Color", "/Luminosity",
}  # fmt: skip
DEVICES = {"/DeviceRGB", "/DeviceGray"}


def named(pdf: Pdf, **wanted: str) -> Iterator[pikepdf.Object]:
    """Every dictionary or stream whose entries have these names."""
    for item in pdf.objects:
        if isinstance(item, (Dictionary, Stream)) and all(
            item.get(f"/{key}") == f"/{value}" for key, value in wanted.items()
        ):
            yield item


def contents(pdf: Pdf) -> Iterator[list[tuple[list[object], str]]]:
    """The operators of every page, form and pattern, in order."""
    places = [*pdf.pages, *named(pdf, Subtype="Form"), *named(pdf, Type="Pattern")]
    for place in places:
        if isinstance(place, (pikepdf.Page, Stream)):
            yield [(list(i.operands), str(i.operator)) for i in pikepdf.parse_content_stream(place)]


def header(pdf: Pdf) -> Iterator[str]:
    raw = bytes(pdf_bytes(pdf))
    first, second = raw.split(b"\n", 2)[:2]
    if not first.startswith(b"%PDF-1."):
        yield "no header"
    if not (second.startswith(b"%") and sum(byte > 127 for byte in second) >= 4):
        yield "no binary comment in the second line"
    if not raw.rstrip(b"\r\n").endswith(b"%%EOF"):
        yield "bytes after the end"


def pdf_bytes(pdf: Pdf) -> bytes:
    with open(pdf.filename, "rb") as file:
        return file.read()


def trailer(pdf: Pdf) -> Iterator[str]:
    if pdf.is_encrypted or "/Encrypt" in pdf.trailer:
        yield "encrypted"
    if len(pdf.trailer.get("/ID", [])) != 2:
        yield "no file identifier"


def streams(pdf: Pdf) -> Iterator[str]:
    for item in pdf.objects:
        if isinstance(item, Stream):
            filters = item.get("/Filter", [])
            filters = [filters] if isinstance(filters, Name) else list(filters)
            if any(each not in ("/FlateDecode", "/DCTDecode") for each in filters):
                yield f"filter {filters}"
            if {"/F", "/FFilter", "/FDecodeParms"} & set(item.keys()):
                yield "a stream in another file"


def images(pdf: Pdf) -> Iterator[str]:
    for image in named(pdf, Subtype="Image"):
        if bool(image.get("/Interpolate", False)):
            yield "an image that is to be smoothed"
        if {"/Alternates", "/OPI"} & set(image.keys()):
            yield "an image with another in its place"
        if image.ColorSpace not in DEVICES or image.BitsPerComponent != 8:
            yield "an image of other colours"


def colours(pdf: Pdf) -> Iterator[str]:
    intents = [each for each in pdf.Root.get("/OutputIntents", []) if each.S == "/GTS_PDFA1"]
    if len(intents) != 1:
        yield "no output intent"
        return
    profile = intents[0].DestOutputProfile
    body = bytes(profile.read_bytes())
    if (profile.N, body[16:20], body[36:40]) != (3, b"RGB ", b"acsp") or body[8] > 4:
        yield "no usable colour profile"
    for operators in contents(pdf):
        if any(operator in ("k", "K") for _, operator in operators):
            yield "CMYK without a profile of it"
    for shading in pdf.objects:
        if isinstance(shading, Dictionary) and "/ShadingType" in shading:
            space = shading.ColorSpace
            space = space[0] if isinstance(space, pikepdf.Array) else space
            if str(space) not in {*DEVICES, "/ICCBased", "/CalRGB"}:
                yield f"a shading of {space}"


def transparency(pdf: Pdf) -> Iterator[str]:
    for state in pdf.objects:
        if isinstance(state, Dictionary) and {"/ca", "/CA", "/BM", "/SMask"} & set(state.keys()):
            if str(state.get("/BM", "/Normal")) not in BLENDS:
                yield f"blend mode {state.BM}"
            if not all(0 <= float(state.get(key, 1)) <= 1 for key in ("/ca", "/CA")):
                yield "an opacity that is none"
        if isinstance(state, Dictionary) and {"/TR", "/HTP"} & set(state.keys()):
            yield "a transfer function"


def fonts(pdf: Pdf) -> Iterator[str]:
    for font in named(pdf, Type="Font"):
        if font.Subtype == "/Type0":
            if "/ToUnicode" not in font:
                yield f"{font.BaseFont} without ToUnicode"
            yield from _program(font.DescendantFonts[0])
        elif font.Subtype not in ("/CIDFontType0", "/CIDFontType2"):
            yield f"a font of kind {font.Subtype}"


def _program(font: Dictionary) -> Iterator[str]:
    """Whether the program of a font is there and has the widths that the file says."""
    found = font.FontDescriptor
    key = next((each for each in ("/FontFile3", "/FontFile2") if each in found), None)
    if key is None:
        yield f"{font.BaseFont} is not embedded"
        return
    if "+" not in str(font.BaseFont)[:8]:
        yield f"{font.BaseFont} says not that it is a part"
    program = TTFont(io.BytesIO(bytes(found[key].read_bytes())))
    scale = 1000 / program["head"].unitsPerEm
    order = program.getGlyphOrder()
    for first, widths in zip(*(iter(font.W),) * 2, strict=True):
        for code, width in enumerate(widths, int(first)):
            if code < len(order):
                said = program["hmtx"][order[code]][0] * scale
                if abs(said - float(width)) > 1.5:
                    yield f"{font.BaseFont}: glyph {code} is {said:.0f} wide, not {width}"


def letters(pdf: Pdf) -> Iterator[str]:
    """Every letter that is drawn has a glyph."""
    for operators in contents(pdf):
        for operands, operator in operators:
            parts = operands[0] if operator == "TJ" else operands if operator == "Tj" else ()
            for part in parts:
                codes = bytes(part) if isinstance(part, pikepdf.String) else b""
                if any(codes[n : n + 2] == b"\0\0" for n in range(0, len(codes), 2)):
                    yield "a letter without a glyph"


def actions(pdf: Pdf) -> Iterator[str]:
    if {"/AA", "/OpenAction", "/AcroForm", "/Perms", "/OCProperties"} & set(pdf.Root.keys()):
        yield "something that a viewer would do"
    if "/JavaScript" in pdf.Root.get("/Names", Dictionary()):
        yield "a script"
    for page in pdf.pages:
        if "/AA" in page.obj or "/Annots" in page.obj:
            yield "a page with something on it"


def metadata(pdf: Pdf) -> Iterator[str]:
    stream = pdf.Root.get("/Metadata")
    if stream is None:
        yield "no metadata"
        return
    packet = bytes(stream.read_bytes()).split(b"?>")[0]
    if not packet.startswith(b"<?xpacket") or b"bytes=" in packet or b"encoding=" in packet:
        yield "a packet with attributes that were given up"
    with pdf.open_metadata() as said:
        if (said.get("pdfaid:part"), said.get("pdfaid:conformance")) != ("3", "B"):
            yield "it does not say that it is PDF/A-3b"
        if said.get("dc:title") != str(pdf.docinfo.get("/Title")):
            yield "another title outside"


def attachments(pdf: Pdf) -> Iterator[str]:
    known = {each.objgen for each in pdf.Root.get("/AF", [])}
    for spec in named(pdf, Type="Filespec"):
        if spec.objgen not in known:
            yield "a file that belongs to nothing"
        if not {"/F", "/UF", "/AFRelationship", "/EF"} <= set(spec.keys()):
            yield "a file without its names or relationship"
        else:
            inside = spec.EF.F
            if "/Subtype" not in inside or "/ModDate" not in inside.get("/Params", Dictionary()):
                yield "a file without its kind or time"
    if not known:
        yield "no file attached"


def operators(pdf: Pdf) -> Iterator[str]:
    for each in contents(pdf):
        depth = deepest = 0
        for _, operator in each:
            if operator not in OPERATORS:
                yield f"operator {operator}"
            depth += (operator == "q") - (operator == "Q")
            deepest = max(deepest, depth)
        if depth or deepest > 28:
            yield "states that are not put back, or too deep"


def tags(pdf: Pdf) -> Iterator[str]:
    marked = pdf.Root.get("/MarkInfo", Dictionary()).get("/Marked", False)
    if not marked or "/StructTreeRoot" not in pdf.Root or not str(pdf.Root.get("/Lang", "")):
        yield "not tagged"
    for figure in named(pdf, S="Figure"):
        if not str(figure.get("/Alt", "")).strip():
            yield "a figure without words"
    if len(list(named(pdf, S="H1"))) != 1:
        yield "not one title"
    for operands in contents(pdf):
        inside = 0
        for _, operator in operands:
            inside += (operator in ("BMC", "BDC")) - (operator == "EMC")
            if operator in ("Tj", "TJ") and not inside:
                yield "text that is neither content nor decoration"


CLAUSES: dict[str, Callable[[Pdf], Iterator[str]]] = {
    "6.1.2 header": header,
    "6.1.3 trailer": trailer,
    "6.1.7 streams": streams,
    "6.2.2 operators": operators,
    "6.2.3 colours": colours,
    "6.2.8 images": images,
    "6.2.10 transparency": transparency,
    "6.2.11 fonts": fonts,
    "6.2.11.8 letters": letters,
    "6.5 actions": actions,
    "6.6 metadata": metadata,
    "6.7 tags": tags,
    "6.8 attachments": attachments,
}
