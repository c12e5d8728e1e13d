"""Maps of numbers as DICOM Parametric Map (PS3.3 A.75): 32-bit floating point."""

from __future__ import annotations

import numpy as np
from highdicom import VOILUTTransformation
from highdicom.pm import ParametricMap, RealWorldValueMapping
from highdicom.sr import CodedConcept

from medview.domain.overlay import ScalarMap
from medview.io.dicom_out.origin import SCHEME, Origin

KIND = "parametric map"
_NO_UNITS = CodedConcept("1", "UCUM", "no units")


def parametric_map(origin: Origin, item: ScalarMap, number: int) -> ParametricMap:
    """One map; voxels without a value are stored as NaN, as the standard allows for floats."""
    frames = origin.source.frames(np.asarray(item.array, dtype=np.float32))
    low, high = item.range
    mapping = RealWorldValueMapping(
        lut_label=item.name[:16],
        lut_explanation=(item.title or item.name)[:64],
        unit=_NO_UNITS,
        value_range=(float(np.nanmin(frames)), float(np.nanmax(frames))),
        slope=1.0,
        intercept=0.0,
        quantity_definition=CodedConcept(item.name[:16], SCHEME, (item.title or item.name)[:64]),
    )
    made = ParametricMap(
        source_images=origin.source.images,
        pixel_array=frames,
        contains_recognizable_visual_features=False,
        real_world_value_mappings=[mapping],
        voi_lut_transformations=[
            VOILUTTransformation(
                window_center=(low + high) / 2,
                window_width=max(high - low, 1e-6),
                # LINEAR asks for a width of at least 1, and these maps span less.
                voi_lut_function="LINEAR_EXACT",
            )
        ],
        content_label=item.name.upper()[:16],
        content_description="Research use only",
        **origin.common(f"{KIND} {item.name}", number),
        **origin.device(),
    )
    made.SeriesDescription = origin.description(item.name)
    origin.source.name_body_part(made)
    return made
