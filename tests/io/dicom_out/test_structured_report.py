"""Scores as a report that other programs can count with, verified by nobody."""

from dataclasses import replace

import pytest
from result_phantom import card

from medview.domain.prediction import Score
from medview.io.dicom_out.segmentation import segmentation
from medview.io.dicom_out.structured_report import structured_report


def numbers(report):
    """(meaning, value, unit) of every number in the report."""
    return [each[1:] for each in coded(report)]


def coded(report):
    """The same with the code of each before it."""
    found = []

    def visit(_, element):
        if element.keyword == "ContentSequence":
            found.extend(item for item in element.value if item.ValueType == "NUM")

    report.walk(visit)
    return [
        (
            item.ConceptNameCodeSequence[0].CodeValue,
            item.ConceptNameCodeSequence[0].CodeMeaning,
            float(item.MeasuredValueSequence[0].NumericValue),
            item.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0].CodeValue,
        )
        for item in found
    ]


def with_scores(origin, *scores):
    bare = replace(origin.prediction, scores=scores, findings=(), maps=())
    return structured_report(replace(origin, prediction=bare), None)


def test_scores_and_visible_findings_are_those_of_the_result(origin):
    report = structured_report(origin, segmentation(origin))
    told = numbers(report)
    assert ("anomaly", 1.834, "1") in told
    assert ("anomaly percentile", 98.0, "%") in told
    volumes = [value for meaning, value, unit in told if unit == "mL"]
    shown = [one for one in origin.prediction.findings if not one.hidden_by_uncertainty]
    assert volumes == pytest.approx([one.volume_ml for one in shown])
    peaks = [value for meaning, value, _ in told if meaning.startswith("peak of the map")]
    assert peaks == pytest.approx([one.peak for one in shown])


def test_it_is_complete_but_preliminary_and_names_the_model(origin):
    report = structured_report(origin, None)
    assert report.CompletionFlag == "COMPLETE"
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert card().title in str(report)


@pytest.mark.parametrize(
    ("score", "told"),
    [
        (Score("age", 41.5, unit="years"), [("age", 41.5, "a")]),
        (
            Score("gap_raw", 2.0, -1.0, 5.0, unit="years"),
            [
                ("gap raw", 2.0, "a"),
                ("gap raw, low end of the interval", -1.0, "a"),
                ("gap raw, high end of the interval", 5.0, "a"),
            ],
        ),
        (Score("ventricles_ml", 31.5, unit="ml"), [("ventricles ml", 31.5, "mL")]),
        (Score("hours", 7.0, unit="h"), [("hours", 7.0, "h")]),
        (Score("odd", 1.0, unit="parsec"), [("odd", 1.0, "1")]),
    ],
)
def test_a_score_and_the_ends_of_its_interval_are_numbers_with_a_unit(origin, score, told):
    assert numbers(with_scores(origin, score)) == told


def test_names_that_begin_alike_have_codes_of_their_own(origin):
    names = ("age", "Diabetes with complications", "Diabetes without complications")
    report = with_scores(origin, *(Score(name, 0.5, 0.4, 0.6) for name in names))
    codes = [code for code, *_ in coded(report)]
    assert len(set(codes)) == len(codes) == 9
    assert codes[:3] == ["age", "age-low", "age-high"]
    assert max(map(len, codes)) <= 16  # what a code value may have (SH)
    again = with_scores(origin, Score(names[1], 0.7))
    assert coded(again)[0][0] == codes[3]


def test_a_score_without_a_value_is_left_out_with_its_interval(origin):
    missing = Score("age", None, 30.0, 50.0, status="not_available")
    assert with_scores(origin, missing) is None
    (only,) = numbers(with_scores(origin, missing, Score("gap", 1.0)))
    assert only[0] == "gap"
