"""Phenotypes from codes."""

from medview.learning.icu_phenotypes import PHENOTYPES, phenotype_cells, phenotypes


def found(*codes):
    cells = phenotype_cells(codes)
    return {one.name for one, cell in zip(phenotypes(), cells.values(), strict=True) if cell == "1"}


def test_there_are_25_in_alphabetical_order():
    names = [one.name for one in phenotypes()]
    assert len(names) == 25
    assert names == sorted(names, key=lambda name: name.lower().replace(";", ""))
    assert {one.kind for one in phenotypes()} == {"acute", "chronic", "mixed"}
    assert PHENOTYPES[0] == "phenotype_01"


def test_codes_of_both_generations_and_with_dots_are_known():
    assert found("401.9") == found("I10") == {"Essential hypertension"}
    assert found("428.0") == found("I50.9") == {"Congestive heart failure; nonhypertensive"}
    assert found("995.92") == {"Septicemia (except in labor)"}


def test_the_longest_beginning_decides():
    assert found("427.31") == {"Cardiac dysrhythmias"}
    assert found("427.5") == set()
    assert found("E10.9") == {"Diabetes mellitus without complication"}
    assert found("E10.2") == {"Diabetes mellitus with complications"}


def test_a_stay_without_codes_has_no_labels():
    assert phenotype_cells([]) == {}
    assert phenotype_cells([" "]) == {}
    assert set(phenotype_cells(["A000"]).values()) == {"0"}
