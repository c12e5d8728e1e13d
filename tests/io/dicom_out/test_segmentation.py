"""Findings and masks as segments: on the voxels of the result, hidden findings left out."""

from dataclasses import replace
from types import SimpleNamespace

import highdicom as hd
import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import card

from medview.domain.overlay import ScalarMap
from medview.io.dicom_out.segmentation import _label_masks, finding_masks, segmentation


@pytest.fixture(scope="module")
def made(origin):
    return segmentation(origin)


def test_segments_lie_on_the_findings_and_hidden_ones_stay_out(origin, made, tmp_path):
    made.save_as(tmp_path / "seg.dcm", enforce_file_format=True)
    seg = hd.seg.segread(tmp_path / "seg.dcm")
    labels = [seg.get_segment_description(n).segment_label for n in seg.segment_numbers]
    assert labels == ["Finding 1", "Finding 2", "brain"]
    for number, (_, _, mask) in zip((1, 2), finding_masks(origin.prediction), strict=True):
        volume = seg.get_volume(segment_numbers=[number], combine_segments=True)
        inside = np.argwhere(np.squeeze(volume.array) > 0)
        places = volume.map_indices_to_reference(inside)
        wanted = origin.prediction.maps[0].geometry.to_mm(np.argwhere(mask))
        assert len(places) == len(wanted)
        found = {tuple(np.round(place, 2)) for place in places}
        assert found == {tuple(np.round(place, 2)) for place in wanted}


def test_every_segment_names_the_algorithm_and_what_it_shows(made):
    for segment in made.SegmentSequence:
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == (
            *(card().title, card().version),
        )
    kinds = [s.SegmentedPropertyTypeCodeSequence[0].CodeMeaning for s in made.SegmentSequence]
    assert kinds == ["Lesion", "Lesion", "Brain"]


def test_the_region_of_a_finding_is_the_one_it_lies_in(origin):
    (_, _, first), (_, _, second) = finding_masks(origin.prediction)
    assert not (first & second).any()
    score = origin.prediction.map("score")
    for finding, mask in zip(origin.prediction.findings, (first, second), strict=False):
        middle = score.geometry.to_mm(np.argwhere(mask).mean(axis=0))
        assert np.linalg.norm(middle - np.array(finding.centroid_lps)) < 4  # one voxel
        size_ml = mask.sum() * score.geometry.voxel_ml
        assert size_ml == pytest.approx(finding.volume_ml, abs=score.geometry.voxel_ml)


def test_a_segment_is_as_large_as_its_finding(origin):
    """It reaches below the threshold, as the finding does: the report of scores tells its ml."""
    score = origin.prediction.map("score")
    for finding, (_, _, mask) in zip(
        origin.prediction.findings, finding_masks(origin.prediction), strict=False
    ):
        grown = replace(finding, volume_ml=2 * finding.volume_ml)
        told = replace(origin.prediction, findings=(grown,), parameters={"threshold": 6.0})
        ((_, _, larger),) = finding_masks(told)
        assert larger[mask].all()
        size_ml = larger.sum() * score.geometry.voxel_ml
        assert size_ml == pytest.approx(grown.volume_ml, abs=2 * score.geometry.voxel_ml)


@pytest.mark.parametrize("change", [{"findings": ()}, {"maps": ()}])
def test_without_findings_or_their_map_there_are_no_regions(origin, change):
    assert finding_masks(replace(origin.prediction, **change)) == []


def test_a_map_of_labels_becomes_a_segment_each(origin):
    brain = origin.prediction.map("brain")
    halves = brain.array * np.where(np.arange(brain.array.shape[2]) < 14, 1, 7).astype(np.uint8)
    regions = replace(brain, name="regions", title="", kind="labels", array=halves)
    bare = replace(origin.prediction, findings=(), maps=(regions,))
    found = segmentation(replace(origin, prediction=bare))
    assert [s.SegmentLabel for s in found.SegmentSequence] == ["regions 1", "regions 7"]
    named = replace(regions, labels=("left half",))
    found = segmentation(replace(origin, prediction=replace(bare, maps=(named,))))
    assert [s.SegmentLabel for s in found.SegmentSequence] == ["left half", "regions 7"]
    stored = found.pixel_array  # a frame a segment and slice with anything in it
    assert stored.sum() == (halves > 0).sum()


def test_nothing_to_show_makes_no_object(origin):
    bare = replace(origin.prediction, findings=(), maps=())
    assert segmentation(replace(origin, prediction=bare)) is None
    empty = replace(origin.prediction.map("brain"), array=np.zeros((24, 32, 28), np.uint8))
    blank = replace(bare, maps=(empty,))
    assert segmentation(replace(origin, prediction=blank)) is None


def test_each_value_of_a_map_has_its_own_label_and_voxels():
    values = np.array([[[0, 1, 2, 3]]], np.uint8)
    maps = (
        ScalarMap("zones", values, geometry_of("LPS", (1, 1, 4)), "labels", labels=("A", "B")),
        ScalarMap("brain", values.clip(0, 1), geometry_of("LPS", (1, 1, 4)), "mask"),
        ScalarMap("score", values, geometry_of("LPS", (1, 1, 4))),
    )
    made = _label_masks(SimpleNamespace(maps=maps))
    assert [(label, mask.nonzero()[2].tolist()) for label, _, mask in made] == [
        ("A", [1]),
        ("B", [2]),
        ("zones 3", [3]),
        ("brain", [1, 2, 3]),
    ]
