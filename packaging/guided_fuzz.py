"""Search for files that break a reader, led by which lines they reach (needs ``atheris``).

``python packaging/guided_fuzz.py FOLDER -max_total_time=600`` keeps what reached new lines in
FOLDER and writes a file that broke the contract as ``crash-*`` beside it. ``atheris`` is no
dependency of the program: ``pip install atheris`` where this is run.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

import atheris  # type: ignore[import-untyped,import-not-found,unused-ignore]  # only where this is run

with atheris.instrument_imports(include=["medview.io"]):
    from medview.cli.benches.seeds import dicom_seeds, nifti_seeds
    from medview.domain.errors import MedviewError
    from medview.domain.progress import Silent
    from medview.io import readers

NIFTI_SIZES = (b"\x5c\x01\x00\x00", b"\x00\x00\x01\x5c", b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")
FOLDER = Path(tempfile.mkdtemp(prefix="medview-fuzz-"))


def one_input(data: bytes) -> None:
    """Open bytes as a file: loaded or refused in words, anything else is a break."""
    path = FOLDER / ("x.nii" if data[:4] in NIFTI_SIZES else "x.dcm")
    path.write_bytes(data)
    try:
        for series in readers.scan(Silent(), (path,)).all_series():
            if series.geometry is not None:
                readers.load(Silent(), series).array.max(initial=0)
    except MedviewError as error:
        if not error.what or not error.do:
            raise AssertionError(f"says too little: {error.as_dict()}") from error
    finally:
        path.unlink()


def main(words: list[str]) -> None:
    """Begin with the files that the bench begins with."""
    corpus = Path(words[1])
    corpus.mkdir(parents=True, exist_ok=True)
    for n, seed in enumerate((*dicom_seeds(), *nifti_seeds())):
        (corpus / f"seed-{n}").write_bytes(seed)
    warnings.simplefilter("ignore")
    atheris.Setup([*words, "-rss_limit_mb=2048", "-timeout=20"], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
