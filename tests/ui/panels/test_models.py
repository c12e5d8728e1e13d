from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QComboBox, QFileDialog, QLabel, QPushButton, QRadioButton
from services.stubs import CARD
from ui.fakes import make_bench

from medview.domain.card import Figure, TrainedOn
from medview.io.cards import write_card
from medview.io.hashing import file_sha256
from medview.services.versions import Version, import_file
from medview.ui.panels.models import (
    VersionCard,
    by_descent,
    card_words,
    figure_words,
    made_from,
)


def test_every_version_has_its_card_and_can_be_checked(bench):
    bench.window.show_panel("models")
    (card,) = bench.window.findChildren(VersionCard)
    texts = [each.text() for each in card.findChildren(QLabel)]
    assert "Anomaly 1.0" in texts
    assert "Limit: few" in texts
    bench.find(QPushButton, "check_anomaly@1.0").click()
    assert bench.jobs.last.work == "medview.learning.check_weights:check"


def test_the_method_comes_out_when_it_is_asked_for(bench):
    told = replace(CARD, method=("Five folds.", "A refit."), trained_at="2026-03-01")
    shown = VersionCard(bench.app, Version(told, Path("w")))
    assert "Five folds." not in str(card_words(told))
    assert dict(card_words(told))["DAY OF TRAINING"] == "01 Mar 2026"
    [words] = [each for each in shown.findChildren(QLabel) if "Five folds." in each.text()]
    fold = shown.findChild(QPushButton, "method_anomaly@1.0")
    assert words.isHidden()
    fold.click()
    assert not words.isHidden()
    fold.click()
    assert words.isHidden()
    shown.deleteLater()


def test_a_whole_card_fits_and_nothing_of_it_is_cut(qtbot, tmp_path):
    long = replace(
        CARD,
        title="Chest film severity with the effects of sites and much else",
        limits=("few " * 120, "more " * 90),
        weights_sha256="0123456789abcdef" * 4,
    )
    made = make_bench(tmp_path, long)
    qtbot.addWidget(made.window)
    made.window.resize(1366, 768)
    made.window.show()
    made.window.show_panel("models")
    made.find(QPushButton, "card_anomaly@1.0").click()
    made.settle()
    column = made.window.side.shown
    assert column.widget().minimumSizeHint().width() <= column.viewport().width()
    labels = [each for each in column.findChildren(QLabel) if each.isVisible() and each.wordWrap()]
    assert len(labels) > 8
    assert all(each.height() >= each.heightForWidth(each.width()) for each in labels)


def test_a_figure_stands_with_interval_set_and_number():
    figure = Figure("roc_auc", 0.834, "ixi-t1", 0.71, 0.9, 7, level="slice")
    assert figure_words(figure) == (
        "ROC AUC 0.834 (0.710\u00a0–\u2060\u00a00.900) · ixi-t1 · slice · n\u00a0=\u00a07"
    )


def test_of_measured_figures_those_of_the_weights_are_told_not_of_variants():
    variants = [Figure("mae", n, "ixi", extra={"runs": 5}, predictor="no-skip") for n in range(8)]
    told = dict(card_words(replace(CARD, measured=(*variants, Figure("mae", 4.2, "ixi")))))
    assert told["MEASURED HERE"] == "• Mean absolute error 4.20 on ixi."


def test_a_set_on_which_the_weights_are_weak_is_told_beside_the_others_and_their_rivals():
    good = [Figure(name, 0.9, "ixi", level="slice") for name in ("roc_auc", "pr_auc", "dice_best")]
    good += [Figure(name, 0.9, "ixi", level="pixel") for name in ("roc_auc", "pr_auc", "hit_rate")]
    weak = Figure("roc_auc", 0.45, "tumours", 0.4, 0.5, 17, level="slice")
    rival = replace(weak, value=0.99, predictor="intensity")
    told = dict(card_words(replace(CARD, measured=(*good, weak, rival))))["MEASURED HERE"]
    assert told.split("\n")[-1] == (
        "• Slice ROC AUC 0.450 (0.400\u00a0–\u2060\u00a00.500) on tumours, n 17; "
        "plain brightness 0.99."
    )


def test_published_figures_stand_apart():
    card = replace(CARD, published=(Figure("roc_auc", 0.9, "elsewhere"),))
    told = dict(card_words(card))
    assert told["PUBLISHED, NOT MEASURED HERE"].startswith("ROC AUC 0.900")
    assert "MEASURED HERE" not in told


def test_of_data_it_is_told_which_way_of_the_model_has_seen_them():
    card = replace(CARD, trained_on=(TrainedOn("a", 3, "CC0", "From a T1 volume: ages 20-30 y"),))
    told = dict(card_words(card))["TRAINED ON"]
    assert told == "a: 3 patients, CC0 (From a T1 volume: ages 20-30 y)"


def test_own_weights_are_offered_for_the_next_run(head, tmp_path):
    own = tmp_path / "models" / "anomaly" / "mine" / "card.json"
    write_card(replace(CARD, version="mine"), own)
    head.app.models.changed.emit()
    box = head.find(QComboBox, "run_version")
    assert [box.itemText(n) for n in range(box.count())] == ["1.0", "mine"]
    box.setCurrentIndex(1)
    head.find(QPushButton, "analysis_run").click()
    request = head.jobs.running("predict:run")[0].args[0]
    assert request.weights == str(own.with_name("weights.safetensors"))


def test_the_chosen_model_is_called_by_the_version_that_run_runs(head, tmp_path):
    write_card(
        replace(CARD, version="mine"), tmp_path / "models" / "anomaly" / "mine" / "card.json"
    )
    head.app.models.changed.emit()
    radio = head.find(QRadioButton, "model_anomaly")
    assert radio.text() == "Anomaly 1.0"
    # The options may be folded then: what will run is told all the same.
    head.find(QComboBox, "run_version").setCurrentIndex(1)
    assert radio.text() == "Anomaly mine"
    head.find(QComboBox, "run_version").setCurrentIndex(0)
    assert radio.text() == "Anomaly 1.0"


@pytest.fixture
def own(head, tmp_path):
    """The card of a version of one's own, with weights that are bytes."""
    folder = tmp_path / "models" / "anomaly" / "mine"
    folder.mkdir(parents=True)
    weights = folder / "weights.safetensors"
    weights.write_bytes(b"numbers")
    card = replace(CARD, version="mine", weights_sha256=file_sha256(weights))
    write_card(card, folder / "card.json")
    head.app.models.look()
    head.window.show_panel("models")
    head.settle()
    return head, folder


def test_a_version_of_ones_own_goes_only_after_a_question(own, monkeypatch):
    head, folder = own
    asked = []
    monkeypatch.setattr("medview.ui.panels.models.ask", lambda *words: asked.append(words))
    head.find(QPushButton, "remove_anomaly@mine").click()
    assert asked[0][1].startswith("Delete Anomaly mine?")
    assert folder.is_dir()
    monkeypatch.setattr("medview.ui.panels.models.ask", lambda *_: True)
    head.find(QPushButton, "remove_anomaly@mine").click()
    assert not folder.exists()


def test_a_version_of_ones_own_is_exported_as_one_file_that_can_be_added(
    own, monkeypatch, tmp_path
):
    head, _ = own
    out = tmp_path / "out.zip"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    head.find(QPushButton, "export_anomaly@mine").click()
    assert "Version written: out.zip." in head.window.notes.texts()
    assert import_file(out, own=tmp_path / "elsewhere").name == "anomaly@mine"
    assert head.window.findChild(QPushButton, "export_anomaly@1.0") is None


def test_the_buttons_of_a_version_of_ones_own_fit_into_a_slim_panel(own):
    head, _ = own
    head.window.resize(1366, 768)
    head.settle()
    column = head.window.side.shown
    assert column.widget().minimumSizeHint().width() <= column.viewport().width()


def test_where_a_version_cannot_be_written_that_is_said(own, monkeypatch, tmp_path):
    head, _ = own
    (tmp_path / "file").write_text("no folder")
    out = tmp_path / "file" / "out.zip"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(out), ""))
    head.find(QPushButton, "export_anomaly@mine").click()
    assert "out.zip" in head.window.notes.texts()[0]
    assert not out.exists()


def test_versions_stand_behind_the_model_they_were_made_from_and_name_their_parent(bench):
    def version(id_, number, *, own=False, sha="", parent=None):
        card = replace(CARD, id=id_, version=number, weights_sha256=sha, parent=parent)
        return Version(card, Path(f"{id_}-{number}"), own=own)

    shipped, other = version("a", "1.0", sha="s1"), version("b", "1.0", sha="s2")
    child = version("a", "1.0-local", own=True, sha="s3", parent="s1")
    grandchild = version("a", "1.0-local-2", own=True, sha="s4", parent="s3")
    every = (shipped, other, child, grandchild)
    assert by_descent(every) == [shipped, child, grandchild, other]
    assert [made_from(each, every) for each in every] == ["", "", "1.0", "1.0-local"]
    assert made_from(child, (other, child)) == ""
    card = VersionCard(bench.app, child, "1.0")
    texts = [each.text() for each in card.findChildren(QLabel)]
    assert "Trained further from 1.0" in texts
    card.deleteLater()
