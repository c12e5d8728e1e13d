"""Groups of labels: each label in one group, sides that mirror, columns that add up."""

from __future__ import annotations

import numpy as np

from medview.learning.region_groups import (
    CLASSES,
    REGIONS,
    UNKNOWN,
    column_names,
    counted,
    grouped,
    mirrored,
    table_volumes,
)


def test_every_label_is_in_one_region_only() -> None:
    labels = [label for region in REGIONS for label in region.labels]
    assert len(labels) == len(set(labels))
    assert [region.number for region in REGIONS] == list(range(1, CLASSES))


def test_left_and_right_of_a_structure_change_places() -> None:
    turned = mirrored()
    by_number = {region.number: region for region in REGIONS}
    for region in REGIONS:
        other = by_number[turned[region.number]]
        assert other.name == region.name
        assert {region.side, other.side} in ({"left", "right"}, {""})
        assert turned[turned[region.number]] == region.number


def test_known_labels_of_the_dictionary_are_on_their_side() -> None:
    sides = {label: region.title for region in REGIONS for label in region.labels}
    assert sides[47] == "hippocampus and amygdala right"
    assert sides[48] == "hippocampus and amygdala left"
    assert sides[23] == "basal ganglia right"
    assert sides[30] == "basal ganglia left"
    assert sides[75] == "basal ganglia left"
    assert sides[103] == "frontal grey left"


def test_a_label_map_becomes_numbers_and_unsorted_labels_stay_out() -> None:
    found = grouped(np.array([0, 47, 48, 46, 1], dtype=np.uint8))
    numbers = {region.title: region.number for region in REGIONS}
    right, left = (
        numbers["hippocampus and amygdala right"],
        numbers["hippocampus and amygdala left"],
    )
    assert found.tolist() == [0, right, left, UNKNOWN, numbers["fluid round the brain"]]
    assert counted(found, 0.5).sum() == 1.5


def test_columns_of_a_table_add_up_to_a_region_in_ml() -> None:
    columns = {c for region in REGIONS for c in column_names(region)}
    assert "MUSE_600" in columns
    assert "MUSE_1" not in columns
    row = dict.fromkeys(columns, 500.0)
    hippocampus = next(n for n, r in enumerate(REGIONS) if r.name.startswith("hippocampus"))
    assert table_volumes(row)[hippocampus] == 1.0
