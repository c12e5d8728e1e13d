import json
from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of
from result_phantom import card, exam, head, prediction_on

from medview.domain.exam import Exam
from medview.domain.prediction import Opinion, Score, TracePoint
from medview.domain.report import Report, content_sha256
from medview.domain.volume import Volume
from medview.services.report_material import Material, Outcome
from medview.services.report_text import ReaderText, reader_text
from medview.services.reporting import SECTIONS, build_report, result

WORDS = ReaderText("Why?", "none", "Two lesions.", "Benign.")


@pytest.fixture(scope="module")
def material() -> Material:
    volume = head()
    outcome = Outcome(prediction_on(volume), card(), "cd" * 32)
    return Material(exam(), volume, (outcome,), WORDS)


@pytest.fixture(scope="module")
def report(material) -> Report:
    return build_report(material)


def titles(report: Report) -> list[str]:
    return [section.title for section in report.sections]


def test_the_sections_follow_the_template(report):
    assert report.title == "Brain MRI with computed analysis"
    assert titles(report) == [
        *("Question", "Result", "", "Findings of the model", "Findings by the reader"),
        *("Impression", "How far to trust this", "Origin"),
    ]


def test_an_answer_to_a_finding_has_name_and_time_beside_it(material):
    said = (
        Opinion("finding 1", "agree", "Dr Rivera", "2026-11-21T10:41:00+00:00"),
        Opinion("finding 2", "rejected", "Dr Rivera", "2026-11-21T10:42:00+00:00"),
        Opinion("score anomaly", "unsure", "Dr Rivera", ""),
    )
    words = replace(WORDS, verdicts={2: "rejected: vessel"})
    (outcome,) = material.outcomes
    answered = replace(material, outcomes=(replace(outcome, opinions=said),), reader=words)
    assert _answers_in(answered) == [
        "agree, Dr Rivera, 21 Nov 2026 10:41 UTC",
        "rejected: vessel, Dr Rivera, 21 Nov 2026 10:42 UTC",
        "not reviewed",
    ]
    assert _answers_in(replace(answered, private=True))[0] == "agree, 21 Nov 2026 10:41 UTC"


def _answers_in(material: Material) -> list[str]:
    made = build_report(material)
    (section,) = [each for each in made.sections if each.title == "Findings of the model"]
    return [row[-1] for row in section.table.rows]


def test_the_line_of_a_result_is_followed_by_what_the_reader_rejected(material):
    (outcome,) = material.outcomes
    seen = [each for each in outcome.prediction.findings if not each.hidden_by_uncertainty]
    alone = replace(outcome.prediction, findings=(seen[0],))
    least, most = sorted(seen[:2], key=lambda each: each.peak)
    two = replace(outcome.prediction, findings=(least, most))

    def told(prediction, *verdicts):
        said = tuple(Opinion(f"finding {one.id}", verdict) for one, verdict in verdicts)
        answered = replace(outcome, prediction=prediction, opinions=said)
        reader = replace(material.reader, verdicts={})
        (section,) = result(replace(material, outcomes=(answered,), reader=reader))
        return section.text

    assert told(alone, (seen[0], "rejected")).startswith("The reader rejected it. ")
    assert "rejected" not in told(alone, (seen[0], "agree"))
    assert "rejected 1 of the 2 regions. " in told(two, (least, "rejected"), (most, "agree"))
    worst = "rejected 1 of the 2 regions, the most unusual one among them. "
    assert worst in told(two, (most, "rejected"))


def test_results_of_tables_alone_make_a_whole_report(material):
    (outcome,) = material.outcomes
    about = replace(outcome.prediction.inputs[0], role="series", study="", size=(11, 48, 1))
    stay = replace(
        outcome.prediction,
        model="icu",
        inputs=(about,),
        scores=(Score("mortality", 0.2, 0.1, 0.3), Score("phenotype_01", 0.1, meaning="Shock: x")),
        maps=(),
        findings=(),
        trace=(TracePoint(1, 0.1), TracePoint(2, 0.2)),
    )
    made = build_report(Material(Exam(), None, (Outcome(stay, outcome.card),)))
    assert made.title == "ICU stay with computed analysis"
    assert titles(made)[:4] == ["Question", "Result", "Risk over the stay", "Phenotypes"]
    assert dict(made.facts)["Table used"] == "series \u00b7 11 columns \u00b7 48 rows"
    assert content_sha256(made) != content_sha256(
        build_report(Material(Exam(), None, (Outcome(replace(stay, trace=()), outcome.card),)))
    )


def test_the_image_is_shown_once_where_only_one_result_marks_it(material):
    (outcome,) = material.outcomes
    blind = Outcome(replace(outcome.prediction, model="mine", maps=(), findings=()))
    made = SECTIONS["pictures"](replace(material, outcomes=(blind, outcome)))
    assert [len(section.figures) for section in made] == [3]
    assert len(SECTIONS["pictures"](replace(material, outcomes=(blind, blind)))) == 1


def test_of_several_results_each_section_says_whose_it_is(material):
    (outcome,) = material.outcomes
    other = Outcome(replace(outcome.prediction, model="mine"))
    made = titles(build_report(replace(material, outcomes=(outcome, other))))
    assert "Result: Bayesian VAE with attention 1.2" in made
    assert "How far to trust this: mine 1.2" in made
    for title in ("Key slices", "Findings of the model"):
        assert [each for each in made if each.startswith(title)] == [
            f"{title}: Bayesian VAE with attention 1.2",
            f"{title}: mine 1.2",
        ]


def test_two_reports_of_one_state_differ_only_in_id_and_time(material, report):
    again = build_report(material)
    assert again.report_id != report.report_id
    assert again.content_sha256 == report.content_sha256
    assert titles(again) == titles(report)
    same = {
        key: again.manifest[key] for key in again.manifest if key not in ("report_id", "made_at")
    }
    assert same.items() <= report.manifest.items()


@pytest.mark.parametrize(
    "change",
    [
        lambda m: replace(m, reader=replace(m.reader, impression="Malignant.")),
        lambda m: replace(m, exam=replace(m.exam, name="Roe^Jane")),
        lambda m: replace(m, signer="Dr A"),
        lambda m: replace(m, outcomes=(replace(m.outcomes[0], card=None),)),
        lambda m: replace(
            m,
            outcomes=(
                replace(m.outcomes[0], prediction=replace(m.outcomes[0].prediction, seed=8)),
            ),
        ),
        lambda m: replace(m, volume=replace(m.volume, array=m.volume.array[:, ::-1].copy())),
    ],
)
def test_any_change_of_content_changes_the_hash(material, report, change):
    assert build_report(change(material)).content_sha256 != report.content_sha256


def test_the_hash_is_over_the_content(report):
    assert content_sha256(report) == report.content_sha256


def test_a_report_is_a_draft_until_it_is_signed_with_an_impression(material):
    bare = replace(material, volume=None)
    assert build_report(bare).status == "DRAFT"
    assert build_report(replace(bare, signer="Dr A")).status == "FINAL"
    silent = replace(bare, signer="Dr A", reader=ReaderText(findings="Two lesions."))
    unsigned = build_report(silent)
    assert unsigned.status == "DRAFT"
    rows = dict(unsigned.sections[-1].table.rows)
    assert rows["Signature"] == "DRAFT · Dr A; a draft until there is an impression"


def test_findings_and_impression_in_one_can_be_signed(material):
    made = build_report(
        replace(material, volume=None, signer="Dr A", reader=reader_text("Normal brain."))
    )
    assert made.status == "FINAL"
    assert "Findings and impression" in titles(made)


def test_what_is_missing_says_so():
    made = build_report(Material(exam().without_identity()))
    sections = {section.title: section for section in made.sections}
    assert made.title == "Imaging report"
    assert sections["Question"].text == "not available"
    assert sections["Computed analysis"].result == ""
    assert "No model has been run" in sections["Computed analysis"].text
    assert sections["Impression"].text == "not available"
    assert all(section.text or section.table or section.figures for section in made.sections)


def test_a_model_that_still_runs_is_told(material):
    text = build_report(replace(material, volume=None, pending=True)).sections[1].text
    assert "only finished results are reported" in text
    text = build_report(Material(exam(), pending=True)).sections[1].text
    assert "A model is still running" in text


def test_two_results_have_a_section_each(material):
    other = replace(material.outcomes[0].prediction, version="1.3")
    both = (material.outcomes[0], Outcome(other, card()))
    made = build_report(replace(material, volume=None, outcomes=both))
    assert sum(title.startswith("Result: ") for title in titles(made)) == 2
    assert [r["result"]["version"] for r in made.manifest["results"]] == ["1.2", "1.3"]


def test_the_manifest_is_json_without_a_name(material, report):
    text = json.dumps(report.manifest, allow_nan=False)
    for secret in ("Doe", "Jane", "ANON-0110", "4471", "1964", "Two lesions"):
        assert secret not in text
    assert report.manifest["results"][0]["file_sha256"] == "cd" * 32
    assert "1.2.3.4.55667788" in text
    private = build_report(replace(material, volume=None, private=True))
    assert "55667788" not in json.dumps(private.manifest)
    assert private.identity == ("Patient 9f2c41aa · F", "date not available")
    assert "1.2.3" not in json.dumps(private.manifest["results"])
    shown = f"{private.facts} {private.sections} {private.identity}"
    for words in ("T1 post-contrast", "MR head with contrast"):
        assert words in f"{report.facts} {report.sections} {report.identity}"
        assert words not in shown


def test_no_row_is_blank(report):
    for section in report.sections:
        for row in section.table.rows if section.table else ():
            assert all(cell.strip() for cell in row)
    assert all(value for _, value in report.facts)


def test_answers_to_scores_stand_with_the_result_by_name_and_time():
    said = Opinion("score anomaly", "rejected", "A. Reader", "2026-11-21T10:41:00+00:00")
    outcome = Outcome(prediction_on(head()), card(), opinions=(said,))
    for private, words in ((False, "rejected, A. Reader, 21 Nov 2026 10:41 UTC"), (True, "")):
        report = build_report(Material(exam(), head(), (outcome,), private=private))
        text = next(each for each in report.sections if each.title == "Result").text
        assert "Reader on anomaly: rejected" in text
        assert words in text
        assert ("A. Reader" in text) is not private
        told = report.manifest["results"][0]["opinions"][0]
        assert (told["verdict"], told["by"]) == ("rejected", "" if private else "A. Reader")


def test_a_film_alone_has_the_risk_beside_it(material):
    (outcome,) = material.outcomes
    film = Volume(np.full((1, 40, 48), 100, np.int16), geometry_of("LPS", (1, 40, 48), (1, 1, 1)))
    stay = replace(
        outcome.prediction, model="icu", maps=(), findings=(), slices=(),
        inputs=tuple(replace(outcome.prediction.inputs[0], role=r) for r in ("series", "film")),
        trace=(TracePoint(1, 0.1), TracePoint(30, 0.2)),
    )  # fmt: skip
    made = build_report(Material(exam(), film, (Outcome(stay),)))
    sections = {section.title: section for section in made.sections}
    assert made.title == "ICU stay and chest film with computed analysis"
    assert sections["Film"].side == "left"
    assert sections["Risk over the stay"].side == "right"
    assert sections["Film"].figures[0].abreast == 1
