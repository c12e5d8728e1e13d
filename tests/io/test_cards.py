import json
from dataclasses import replace

import pytest
from result_phantom import SHA, card

from medview.domain.card import OutputSpec
from medview.domain.errors import WeightsError, WriteError
from medview.io.cards import card_dict, model_entry, read_card, refuse_other_weights, write_card
from medview.io.hashing import file_sha256
from medview.io.seen import salted


def test_a_card_comes_back_exactly(tmp_path):
    known = salted(card())
    write_card(known, tmp_path / "card.json")
    assert read_card(tmp_path / "card.json") == known


def test_the_file_can_be_read_by_people_and_says_what_it_is(tmp_path):
    write_card(card(), tmp_path / "card.json")
    text = (tmp_path / "card.json").read_text("utf-8")
    assert json.loads(text)["schema"] == "medview.card/1"
    assert text.count("\n") > 30


@pytest.mark.parametrize("silent", ["limits", "licence", "source", "intended_use"])
def test_a_card_that_is_silent_is_neither_written_nor_read(tmp_path, silent):
    empty = replace(card(), **{silent: () if silent == "limits" else ""})
    with pytest.raises(WeightsError, match=f"says nothing of {silent.replace('_', ' ')}"):
        write_card(empty, tmp_path / "card.json")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "card.json").write_text(json.dumps(card_dict(empty)))
    with pytest.raises(WeightsError, match=r"^card\.json: the model card says nothing"):
        read_card(tmp_path / "card.json")


NO_CARDS = ("", "[]", "{}", '{"schema":"medview.card/1"}', "null", "[" * 100_000)


@pytest.mark.parametrize("text", NO_CARDS, ids=range(len(NO_CARDS)))
def test_what_is_no_card_is_refused_in_a_sentence(tmp_path, text):
    (tmp_path / "card.json").write_text(text)
    with pytest.raises(WeightsError, match=r"^card\.json: this is not a model card"):
        read_card(tmp_path / "card.json")


def test_a_missing_card_is_named(tmp_path):
    with pytest.raises(WeightsError, match="cannot be read"):
        read_card(tmp_path / "card.json")


def test_a_card_that_cannot_be_written_says_so(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(WriteError):
        write_card(card(), tmp_path / "file" / "card.json")


def test_a_card_of_another_schema_is_not_read_as_if_it_were_of_this(tmp_path):
    (tmp_path / "card.json").write_text(json.dumps(card_dict(card()) | {"schema": "other/1"}))
    with pytest.raises(WeightsError, match="not a model card of this program"):
        read_card(tmp_path / "card.json")


def test_salts_are_told_only_where_there_are_any():
    assert "seen_salts" not in card_dict(card())
    assert card_dict(replace(card(), seen_salts=("ab",)))["seen_salts"] == ["ab"]


def test_keys_of_a_later_version_are_left_alone(tmp_path):
    body = card_dict(card()) | {"colour": "green"}
    (tmp_path / "card.json").write_text(json.dumps(body))
    assert read_card(tmp_path / "card.json") == card()


def test_the_entry_of_a_model_has_the_keys_of_the_contract():
    entry = model_entry(card())
    assert entry.items() >= {
        "id": "anomaly", "version": "1.2", "title": "Bayesian VAE with attention",
        "weights_sha256": SHA, "parent": None, "licence": "CC BY-SA 3.0",
    }.items()  # fmt: skip
    role = {"role": "t1", "required": False, "needs": "MR volume or slice"}
    assert entry["inputs"][0].items() >= role.items()
    assert entry["outputs"] == [{"name": "score", "kind": "map", "unit": "1"}]
    assert entry["trained_on"][0].items() >= {"set": "ixi-t1", "n_patients": 7}.items()
    assert entry["published"] == [
        {"name": "roc_auc", "value": 0.834, "on": "BraTS2020, balanced slices"}
    ]
    assert entry["limits"] == ["Never tried on children", "Blind to changes smaller than 5 mm"]
    assert "seen_patients" not in entry
    assert (entry["method"], entry["trained_at"]) == ([], None)


def test_the_entry_tells_all_limits_and_which_of_them_are_of_the_method():
    entry = model_entry(replace(card(), method=("Five folds.",), trained_at="2026-03-01"))
    assert entry["limits"] == [*card().limits, "Five folds."]
    assert (entry["method"], entry["trained_at"]) == (["Five folds."], "2026-03-01")


def test_measured_figures_are_metric_rows_that_name_their_command():
    first, second, third = model_entry(card())["measured"]
    assert first == {
        "predictor": "model", "task": "anomaly", "level": "pixel", "name": "pr_auc",
        "subset": "brats2013-slices", "group": "all", "value": 0.41, "low": 0.29, "high": 0.55,
        "ci": "", "n": 8, "n_patients": None, "n_positive": None, "prevalence": None,
        "command": "medview x",
    }  # fmt: skip
    assert second["predictor"] == "intensity"
    assert (third["ci"], list(third)) == ("bootstrap", list(first))


def test_maps_made_on_demand_are_marked_in_the_entry():
    some = replace(card(), outputs=(OutputSpec("evidence", "map"), OutputSpec("occlusion", "map")))
    assert some.on_demand == ("occlusion",)
    told = {item["name"]: item.get("on_demand") for item in model_entry(some)["outputs"]}
    assert told == {"evidence": None, "occlusion": True}


def test_weights_are_those_of_a_card_byte_for_byte(tmp_path):
    (tmp_path / "weights.safetensors").write_bytes(b"learnt")
    own = replace(card(), weights_sha256=file_sha256(tmp_path / "weights.safetensors"))
    refuse_other_weights(tmp_path / "weights.safetensors", own)
    (tmp_path / "weights.safetensors").write_bytes(b"learned")
    with pytest.raises(WeightsError, match=r"^weights\.safetensors: .*SHA-256 differs"):
        refuse_other_weights(tmp_path / "weights.safetensors", own)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": 3},
        {"title": ["Anomaly"]},
        {"parent": 7},
        {"limits": "one line"},
        {"method": [1]},
        {"settings": []},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_card_edited_by_hand_to_another_kind_of_value_is_refused(tmp_path, changed):
    (tmp_path / "card.json").write_text(json.dumps(card_dict(card()) | changed))
    with pytest.raises(WeightsError, match=r"^card\.json: this is not a model card"):
        read_card(tmp_path / "card.json")
