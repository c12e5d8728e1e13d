"""What others would use to read a series: works for a child process, as medview's own reader is."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK
from pydicom.pixels import get_decoder

from medview.domain.progress import Progress


def warm(job: Progress) -> None:
    """Do nothing: by now the libraries above are loaded."""


def simpleitk_series(job: Progress, folder: Path) -> float:
    """Seconds that SimpleITK's series reader takes to read a folder of one series.

    Finding out the order of the files is not counted.
    """
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    began = time.perf_counter()
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(names)
    image = reader.Execute()
    _touch(SimpleITK.GetArrayViewFromImage(image))
    return time.perf_counter() - began


def pydicom_loop(job: Progress, folder: Path) -> float | None:
    """Seconds that the loop of many scripts takes: read, sort by position, stack, rescale.

    None where pydicom finds no decoder among what is installed.
    """
    syntax = pydicom.dcmread(next(folder.iterdir())).file_meta.TransferSyntaxUID
    if syntax.is_encapsulated and not get_decoder(syntax).is_available:
        return None
    began = time.perf_counter()
    slices = sorted(
        (pydicom.dcmread(path) for path in folder.iterdir()),
        key=lambda one: float(one.ImagePositionPatient[2]),
    )
    values = np.stack([one.pixel_array for one in slices]).astype(np.int16)
    values += np.int16(slices[0].RescaleIntercept)
    _touch(values)
    return time.perf_counter() - began


def simpleitk_scan(job: Progress, folder: Path) -> float:
    """Seconds that SimpleITK takes to find the series of a folder and the order of its files."""
    began = time.perf_counter()
    for uid in SimpleITK.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
    return time.perf_counter() - began


def pydicom_scan(job: Progress, folder: Path) -> float:
    """Seconds that pydicom takes to read all headers of a folder, pixels left out."""
    began = time.perf_counter()
    for path in folder.iterdir():
        header = pydicom.dcmread(path, stop_before_pixels=True)
        _ = header.SeriesInstanceUID, header.ImagePositionPatient
    return time.perf_counter() - began


def _touch(values: np.ndarray) -> None:
    """Look at one value of each slice, as a pane would, so that nothing is put off."""
    values[:, 0, 0].sum()
