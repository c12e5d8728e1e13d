from dataclasses import replace

import pytest
from result_phantom import SHA, card, exam, head, prediction_on

from medview.domain.card import Figure, TrainedOn
from medview.domain.exam import Exam
from medview.domain.volume import Note
from medview.domain.wording import date_words
from medview.services import report_origin
from medview.services.offers import part_cards
from medview.services.report_origin import name_words, quality_words


@pytest.fixture(scope="module")
def prediction():
    return prediction_on(head())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Doe^Jane", "Doe, Jane"),
        ("Müller^Änne^^Dr.", "Müller, Änne, Dr."),
        ("Yamada^Tarou=山田^太郎=やまだ^たろう", "Yamada, Tarou (山田 太郎)"),
        ("=山田^太郎", "山田 太郎"),
        ("", ""),
    ],
)
def test_dicom_names_are_written_as_people_do(name, words):
    assert name_words(name) == words


def test_identity_is_two_lines_and_never_blank():
    assert report_origin.identity(exam()) == (
        "Doe, Jane · ANON-0110 · F · born 02 May 1964",
        "Accession 4471 · 14 Mar 2026",
    )
    assert report_origin.identity(Exam(patient_id="7")) == (
        "name not available · 7 · sex, birth date not available",
        "date not available",
    )
    assert report_origin.identity(Exam()) == ("Patient not available", "date not available")


def test_a_pseudonym_is_all_that_a_private_report_says():
    lines = report_origin.identity(exam().without_identity())
    assert lines == ("Patient 9f2c41aa · F", "14 Mar 2026")
    assert report_origin.identity(exam().in_private())[1] == "date not available"


def test_facts_are_never_blank():
    assert dict(report_origin.facts(exam(), "")) == {
        "Examination": "MR head with contrast",
        "Series used": "T1 post-contrast (no. 7) · 40 × 48 × 36 · 4 × 4 × 4 mm",
        "Scanner": "3.0 T, Example Scanner One",
        "Comparison": "none available",
    }
    siemens = replace(exam(), study_description="Head^basic")
    assert dict(report_origin.facts(siemens, ""))["Examination"] == "Head basic"
    assert dict(report_origin.facts(Exam(), "")) == {
        "Examination": "not available",
        "Series used": "not available",
        "Scanner": "not available",
        "Comparison": "none available",
    }


@pytest.mark.parametrize(
    ("known", "said", "told"),
    [
        ({"earlier_date": "2024-03-02", "earlier_description": "MR head"}, "",
         "not stated; earlier study 02 Mar 2024, MR head"),
        ({}, "", "not stated; an earlier study exists"),
        ({}, "CT of Tuesday", "CT of Tuesday"),
    ],
)  # fmt: skip
def test_an_earlier_study_that_is_known_is_never_told_as_none(known, said, told):
    found = dict(report_origin.facts(Exam(earlier_studies=1, **known), said))
    assert found["Comparison"] == told


@pytest.mark.parametrize(
    ("at_detector", "told"),
    [(True, "0.3 × 0.4 mm at the detector"), (False, "0.3 × 0.4 mm")],
)
def test_one_image_has_no_third_size_and_a_film_is_not_told_in_the_patient(at_detector, told):
    film = Exam(size=(576, 472, 1), spacing_mm=(0.3, 0.4, 1.0), at_detector=at_detector)
    used = dict(report_origin.facts(film, ""))["Series used"]
    assert used == f"not available · 576 × 472 · {told}"


def test_what_was_published_is_told_apart(prediction):
    rows = dict(report_origin.trust(prediction, card(), None, exam()).table.rows)
    assert rows["Published elsewhere"] == (
        "With other weights and data: ROC AUC 0.834 on BraTS2020, balanced slices."
    )
    assert rows["Measured here"].startswith("Pixel average precision 0.410 (0.290 – 0.550)")
    assert rows["Trained on"] == "ixi-t1, 7 patients"
    assert rows["Limits"] == "Never tried on children. Blind to changes smaller than 5 mm."
    assert "Calibration: coverage of the interval 0.940" in rows["Uncertainty"]


def test_only_limits_of_the_route_that_was_used_are_printed(prediction):
    both = replace(card(), limits=("Adults only.", "From a T1 volume: weak."))
    by_image = replace(prediction, parameters={"route": "t1"})

    def printed(made, its_card):
        return dict(report_origin.trust(made, its_card, None, exam()).table.rows)["Limits"]

    assert printed(prediction, both) == "Adults only."
    assert printed(by_image, both) == "From a T1 volume: weak."
    two = replace(both, limits=(*both.limits, "From a T1 volume: one scanner."))
    assert printed(by_image, two) == "From a T1 volume: weak. One scanner."
    # A card that knows one way only says the same whichever it is.
    assert printed(by_image, replace(both, limits=("Adults only.",))) == "Adults only."


def test_the_method_is_small_print_of_the_route_that_was_used(prediction):
    said = replace(card(), method=("five folds", "From a T1 volume: three folds.", "A refit."))
    [section] = report_origin.method(prediction, said)
    assert (section.small, section.text) == (True, "Five folds. A refit.")
    by_image = replace(prediction, parameters={"route": "t1"})
    assert report_origin.method(by_image, said)[0].text == "Three folds."
    assert "folds" not in str(report_origin.trust(prediction, said, None, exam()).table)
    assert report_origin.method(prediction, card()) == report_origin.method(prediction, None) == ()


def test_of_a_long_method_the_first_sentences_are_printed_and_where_the_others_are(prediction):
    lines = tuple(f"{'much ' * 20}{n}." for n in range(40))
    [section] = report_origin.method(prediction, replace(card(), method=lines))
    printed = section.text.lower()
    there = [n for n in range(40) if f" {n}." in printed]
    assert there == list(range(len(there)))
    assert 5 < len(there) < 40
    assert len(section.text) < 1600
    left = 40 - len(there)
    assert section.text.endswith(
        f'{left} more sentences on the card of the model ("medview models {card().id}").'
    )


def test_many_limits_take_several_rows_and_none_is_lost(prediction):
    limits = tuple(f"{'much ' * 20}{n}." for n in range(7))
    rows = report_origin.trust(prediction, replace(card(), limits=limits), None, exam()).table.rows
    told = [text for name, text in rows if name == "Limits"]
    assert len(told) == 4
    assert " ".join(told).lower() == " ".join(limits)


def test_of_a_way_of_its_own_only_its_data_are_told_and_nothing_published(prediction):
    own, features = (
        Figure("mae", value, "set a", extra=extra)
        for value, extra in ((9.0, {"route": "t1"}), (5.0, {}))
    )
    sets = (TrainedOn("a", 3), TrainedOn("b", 7, "", "From a T1 volume: ages 20-30 y"))
    both = replace(card(), measured=(features, own), trained_on=sets)

    def rows(made):
        return dict(report_origin.trust(made, both, None, exam()).table.rows)

    by_image = rows(replace(prediction, parameters={"route": "t1"}))
    assert by_image["Trained on"] == "b, 7 patients (ages 20-30 y)"
    assert by_image["Published elsewhere"] == "not available"
    assert rows(prediction)["Trained on"] == "a, 3 patients"
    assert "0.834" in rows(prediction)["Published elsewhere"]


def test_tables_have_facts_of_their_own(prediction):
    about = replace(prediction.inputs[0], role="smri", size=(265, 1, 1))
    given = {"age_years": 46.71, "sex": "M"}
    facts = dict(
        report_origin.table_facts((replace(prediction, inputs=(about,), parameters=given),), "")
    )
    assert facts["Table used"] == "smri · 265 columns · 1 row"
    assert facts["Given with it"] == "age 46.71 years · sex M"


def test_without_a_card_it_is_said_that_nothing_is_known(prediction):
    rows = dict(report_origin.trust(prediction, None, None, exam()).table.rows)
    assert rows["Model card"].startswith("not available")
    assert "Calibration: not established; at this site not established" in rows["Uncertainty"]


def test_calibration_on_cases_of_the_site_is_told_where_there_is_one(prediction):
    def said(*figures):
        its = replace(card(), measured=(*card().measured, *figures))
        return dict(report_origin.trust(prediction, its, None, exam()).table.rows)["Uncertainty"]

    def local(name, value, who, group="cross-fitted"):
        return Figure(name, value, "local cases", n=40, predictor=who, level="case", group=group)

    assert "at this site not established" in said()
    first = (local("ece", 0.3, "old"), local("ece", 0.2, "new"))
    again = (local("ece", 0.123, "old"), local("ece", 0.045, "new"))
    told = said(*first, *again)
    assert "calibration error 0.0450, 0.123 before (n 40)." in told
    assert "not established" not in told
    assert "coverage of the interval 0.940 on held-out slices" in told
    tuned = said(local("coverage", 0.9, "new", "validation"))
    assert "left out of the fit coverage of the interval 0.900 (n 40)." in tuned
    assert "at this site not established" in said(local("mae", 4.0, "new"))


def test_everything_doubtful_about_the_input_is_told_once(prediction):
    volume = replace(
        head(),
        missing_slices=(3, 4),
        lossy=True,
        warnings=(Note("X", prediction.warnings[0].text),),
    )
    assert quality_words(prediction, volume, exam()) == (
        "Slices are thicker than in the training data. 2 of 36 slices missing. "
        "The images were compressed with loss."
    )


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (Exam(size=(4, 4, 9)), "No warning; no slice is missing."),
        (Exam(), "No warning."),
        (Exam(size=(4, 4, 9), missing_slices=2), "2 of 9 slices missing."),
        (Exam(size=(4, 4, 9), lossy=True), "The images were compressed with loss."),
    ],
)
def test_without_a_volume_the_headers_tell_what_is_doubtful(shown, words, prediction):
    assert quality_words(replace(prediction, warnings=()), None, shown) == words


def test_of_a_volume_its_own_slices_count(prediction):
    bare = replace(prediction, warnings=())
    assert quality_words(bare, head(), Exam(missing_slices=3)) == "No warning; no slice is missing."
    words = quality_words(bare, replace(head(), missing_slices=(1,)), Exam())
    assert words == "1 of 36 slices missing."


def test_the_origin_holds_all_that_a_second_run_needs(prediction):
    rows = dict(report_origin.origin_rows(prediction, card()))
    assert rows["Weights (SHA-256)"] == SHA
    assert rows["Model"] == (
        "anomaly 1.2 · Bayesian VAE with attention · day of training not available · "
        "not fine-tuned · CC BY-SA 3.0"
    )
    assert rows["Maps"] == "score · residual · epistemic · aleatoric · total · brain"
    assert rows["Input t1"] == f"{'ab' * 32} · 40 × 48 × 36 · series \u20264.55667788"
    for part in ("14 Mar 2026 10:41 UTC", "cpu", "float32", "batched", "K 5", "α 0.5", "seed 7"):
        assert part in rows["Run"].split(" · ")
    dated = replace(card(), trained_at="2026-03-01")
    assert (
        " · trained 01 Mar 2026 · " in dict(report_origin.origin_rows(prediction, dated))["Model"]
    )
    part = replace(prediction, weights_sha256="0" * 64)
    assert "day of training not available" in dict(report_origin.origin_rows(part, dated))["Model"]
    tuned = dict(report_origin.origin_rows(replace(prediction, parent="c0ffee"), None))
    assert tuned["Model"] == (
        "anomaly 1.2 · day of training not available · fine-tuned from c0ffee"
    )


@pytest.mark.parametrize(
    ("role", "size", "told"),
    [
        ("series", (32, 94, 1), "32 columns, 94 rows"),
        ("smri", (422, 1, 1), "422 columns, 1 row"),
        ("film", (373, 361, 1), "373 × 361"),
        ("t1", (10, 20, 30), "10 × 20 × 30"),
    ],
)
def test_the_size_of_an_input_is_told_as_what_it_is(prediction, role, size, told):
    given = replace(prediction.inputs[0], role=role, size=size)
    rows = dict(report_origin.origin_rows(replace(prediction, inputs=(given,)), card()))
    assert rows[f"Input {role}"].split(" · ")[1] == told


def test_a_private_origin_has_no_trace_of_the_series(prediction):
    rows = dict(report_origin.origin_rows(prediction, card(), private=True))
    assert "55667788" not in str(rows)
    assert "ab" * 32 in rows["Input t1"]


def test_the_rest_of_the_headers_stands_in_one_line_and_gaps_are_named():
    said = replace(exam(), institution="Example Hospital", referring="Roe^R", body_part="HEAD")
    name, words = report_origin.exam_row(said)
    assert name == "Examination"
    assert words == (
        "facility Example Hospital · referred by Roe, R · body part head · "
        "contrast, acquired, series UID not available"
    )
    assert "Example Hospital" not in str(report_origin.exam_row(said.without_identity()))


@pytest.mark.parametrize(
    ("acquired", "told"),
    [
        ("2026-11-21 10:15", "acquired 21 Nov 2026 10:15 · "),
        ("in the evening", "acquired in the evening · "),
    ],
)
def test_when_images_were_made_is_told_as_far_as_it_is_known(acquired, told):
    assert told in report_origin.exam_row(replace(exam(), acquired=acquired))[1]


def test_what_it_is_compared_with_is_told(prediction):
    for told in (
        report_origin.facts(exam(), "MR of 2024"),
        report_origin.table_facts((prediction,), "MR of 2024"),
    ):
        assert dict(told)["Comparison"] == "MR of 2024"


@pytest.mark.parametrize(
    "model", ["anomaly", "brain-age", "brain-age-armed", "cxr", "cxr-armed", "icu"]
)
def test_the_intended_use_has_its_six_items(prediction, model):
    made = report_origin.trust(replace(prediction, model=model), card(), None, exam())
    words = dict(made.table.rows)["Intended use"]
    assert words.startswith("Research on adult brain MRI.")
    for item in ("Indication", "Body part", "Population", "User", "Environment", "Principle"):
        assert f"{item}: " in words


def test_program_and_libraries_are_named():
    assert {"medview", "Python", "torch", "numpy"} <= {
        part.partition(" ")[0] for part in report_origin.software().split(" · ")
    }


@pytest.mark.parametrize(("models", "level"), [(0, "level 0: no model"), (1, "level 1 of 0 to 4")])
def test_the_part_of_the_model_is_told_on_a_scale(models, level):
    assert report_origin.involvement(models).startswith(level)


@pytest.mark.parametrize(
    ("spacing", "told"),
    [((1.0, 1.0, 1.5), "1.0 × 1.0 × 1.5 mm"), ((0.6836, 0.6836, 5.0), "0.684 × 0.684 × 5.000 mm")],
)
def test_sizes_of_a_voxel_have_as_many_decimals_each(spacing, told):
    rows = dict(report_origin.facts(Exam(size=(4, 4, 4), spacing_mm=spacing), ""))
    assert rows["Series used"].endswith(told)


def test_loss_in_some_images_is_counted_and_not_said_of_all(prediction):
    bare = replace(prediction, warnings=())
    told = Note("PARTLY_LOSSY", "3 of 36 images were compressed with loss")
    volume = replace(head(), lossy=True, warnings=(told,))
    assert quality_words(bare, volume, Exam(lossy=True)) == f"{told.text}."
    # Another volume of the series was; this one was not.
    unspoilt = quality_words(bare, head(), Exam(lossy=True))
    assert unspoilt == "No warning; no slice is missing."


def test_the_day_is_that_of_the_part_that_answered_in_the_place_of_the_model(prediction):
    """Of a T1 volume the weights of the regions answer, not those of the brain-age model."""
    (regions,) = (each for each in part_cards() if each.id == "region-net")
    of_part = replace(prediction, weights_sha256=regions.weights_sha256)
    dated = replace(card(), weights_sha256="1" * 64, trained_at="2026-03-01")
    told = dict(report_origin.origin_rows(of_part, dated))["Model"]
    assert f" · trained {date_words(regions.trained_at)} · " in told


@pytest.mark.parametrize(("said", "words"), [(True, "mirrored yes"), (False, "mirrored no")])
def test_a_parameter_of_yes_or_no_is_told_in_words(prediction, said, words):
    made = replace(prediction, parameters={"mirrored": said})
    assert words in dict(report_origin.origin_rows(made, None))["Run"].split(" · ")
