"""The classes that are read in a way of their own are those of the standard."""

from __future__ import annotations

import pytest
from pydicom.uid import UID, UID_dictionary

from medview.io import dicom_classes


@pytest.mark.parametrize("uid", dicom_classes.MODALITY_OF_CLASS)
def test_a_class_of_one_modality_is_a_storage_class(uid):
    assert "Storage" in UID_dictionary[uid][0]


@pytest.mark.parametrize(
    ("uid", "name"),
    [
        (dicom_classes.SEGMENTATION[0], "Segmentation Storage"),
        (dicom_classes.PARAMETRIC_MAP, "Parametric Map Storage"),
        (dicom_classes.RT_DOSE, "RT Dose Storage"),
        (dicom_classes.MEDIA_DIRECTORY, "Media Storage Directory Storage"),
        (dicom_classes.SLIDE, "VL Whole Slide Microscopy Image Storage"),
    ],
)
def test_a_uid_is_that_of_its_name(uid, name):
    assert UID(uid).name == name
