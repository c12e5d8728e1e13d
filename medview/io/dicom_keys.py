"""What may tell apart frames in the same place, in the order in which it is tried (R14)."""

from __future__ import annotations

from collections.abc import Hashable

from medview.io.dicom_frames import Frames
from medview.io.dicom_times import clock_key
from medview.io.dicom_values import Header

# Name and keywords.
_CLASSIC_KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("TemporalPositionIdentifier", ("TemporalPositionIdentifier",)),
    ("AcquisitionNumber", ("AcquisitionNumber",)),
    ("EchoTime", ("EchoTime",)),
    ("EchoNumbers", ("EchoNumbers",)),
    ("InversionTime", ("InversionTime",)),
    ("FlipAngle", ("FlipAngle",)),
    ("DiffusionBValue", ("DiffusionBValue", "DiffusionGradientOrientation")),
    ("TriggerTime", ("TriggerTime",)),
    ("ContrastBolusAgent", ("ContrastBolusAgent",)),
    ("KVP", ("KVP",)),
    ("AcquisitionTime", ("AcquisitionTime",)),
    ("ContentTime", ("ContentTime",)),
)


def keys_of_file(header: Header) -> dict[str, Hashable]:
    """Values of a classic image that may tell its volume from others, by name."""
    found: dict[str, Hashable] = {}
    for name, keywords in _CLASSIC_KEYS:
        values = tuple(_key_value(header, word) for word in keywords if word in header)
        if values:
            found[name] = values
    return found


# Times of day, with the date that each is of; "1015" is a quarter past ten, not a small number.
_CLOCKS = {
    "AcquisitionTime": "AcquisitionDate",
    "ContentTime": "ContentDate",
    "FrameAcquisitionDateTime": "FrameAcquisitionDateTime",
}


def _key_value(header: Header, keyword: str) -> Hashable:
    if keyword not in _CLOCKS:
        return header.numbers(keyword) or header.word(keyword)
    when = clock_key(header, keyword, _CLOCKS[keyword])
    return header.word(keyword) if when is None else (when,)


# The same for frames of an enhanced file: name, functional group, keywords.
_ENHANCED_KEYS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("TemporalPositionIndex", "FrameContentSequence", ("TemporalPositionIndex",)),
    ("AcquisitionNumber", "FrameContentSequence", ("FrameAcquisitionNumber",)),
    ("EchoTime", "MREchoSequence", ("EffectiveEchoTime",)),
    ("InversionTime", "MRModifierSequence", ("InversionTimes",)),
    ("FlipAngle", "MRTimingAndRelatedParametersSequence", ("FlipAngle",)),
    ("DiffusionBValue", "MRDiffusionSequence", ("DiffusionBValue", "DiffusionDirectionality")),
    (
        "TriggerTime",
        "CardiacSynchronizationSequence",
        ("NominalCardiacTriggerDelayTime",),
    ),
    ("KVP", "CTXRayDetailsSequence", ("KVP",)),
    ("AcquisitionTime", "FrameContentSequence", ("FrameAcquisitionDateTime",)),
)


def keys_of_frame(frames: Frames, frame: int) -> dict[str, Hashable]:
    """The same of one frame of an enhanced image; its dimension indices come last."""
    found: dict[str, Hashable] = {}
    for name, sequence, keywords in _ENHANCED_KEYS:
        group = frames.group(frame, sequence)
        if group is None:
            continue
        values = tuple(_key_value(group, word) for word in keywords if word in group)
        if name == "DiffusionBValue":
            gradient = group.item("DiffusionGradientDirectionSequence")
            values += gradient.numbers("DiffusionGradientOrientation") if gradient else ()
        if values:
            found[name] = values
    content = frames.group(frame, "FrameContentSequence")
    for n, value in enumerate(content.numbers("DimensionIndexValues") if content else ()):
        found[f"DimensionIndexValues[{n}]"] = value
    return found
