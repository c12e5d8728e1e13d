"""Versions of models: shipped and own, added whole, exported as one file, taken away."""

import contextlib
import errno
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from services.stubs import CARD

from medview.cli import main
from medview.cli.contract import Context
from medview.cli.versions import in_words
from medview.domain.errors import InputRefused, UsageError, WeightsError, WriteError
from medview.io.cards import write_card
from medview.io.hashing import file_sha256
from medview.services import versions as service
from medview.services.versions import located, register, versions


def put(folder, content=b"values", **card):
    folder.mkdir(parents=True)
    weights = folder / service.WEIGHTS
    weights.write_bytes(content)
    write_card(replace(CARD, weights_sha256=file_sha256(weights), **card), folder / service.CARD)
    return weights


@pytest.fixture
def places(tmp_path):
    """A folder of shipped versions with two of icu, and an empty one of the user's own."""
    put(tmp_path / "shipped" / "icu", b"main", id="icu", version="1.0")
    put(tmp_path / "shipped" / "a-icu-film", b"film", id="icu", version="1.0-film")
    return {"shipped": tmp_path / "shipped", "own": tmp_path / "own"}


def test_a_model_without_version_is_the_one_in_the_folder_of_its_name(places):
    assert [one.name for one in versions(**places)] == ["icu@1.0", "icu@1.0-film"]
    assert located("icu", **places).weights == places["shipped"] / "icu" / service.WEIGHTS
    assert located("icu", **places).chosen is None
    film = located("icu@1.0-film", **places)
    assert film.chosen == film.weights
    assert film.weights.read_bytes() == b"film"
    with pytest.raises(UsageError, match=r"no version 9.*1\.0, 1\.0-film"):
        located("icu@9", **places)


def test_a_version_of_ones_own_keeps_its_parent_and_gets_a_device_uid(places, tmp_path):
    weights = put(tmp_path / "tuned", b"tuned", id="icu", version="1.0", parent="abc")
    weights.with_name(service.BASELINES).write_bytes(b"classical")
    own = register(weights, "ward-7", own=places["own"])
    assert own.weights.with_name(service.BASELINES).read_bytes() == b"classical"
    assert located("icu@ward-7", **places).card == own.card
    assert (own.card.parent, own.card.weights_sha256) == ("abc", file_sha256(weights))
    assert str(own.card.settings["device_uid"]).startswith("2.25.")
    assert len(str(own.card.settings["device_uid"])) <= 64
    assert located("icu", **places).card.version == "1.0"
    with pytest.raises(UsageError, match="already") as taken:
        register(weights, "ward-7", own=places["own"])
    assert taken.value.do == "Choose another name, or remove that one first."
    with pytest.raises(UsageError, match="already") as shipped:
        register(weights, "1.0", own=places["own"])
    assert shipped.value.do == "Choose another name."
    service.remove(own)
    assert [one.name for one in versions(**places)] == ["icu@1.0", "icu@1.0-film"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "x" * 65])
def test_odd_names_are_refused(places, tmp_path, name):
    weights = put(tmp_path / "tuned", id="icu")
    with pytest.raises(UsageError, match="cannot be the name"):
        register(weights, name, own=places["own"])
    assert not places["own"].exists()


def test_weights_of_another_card_are_refused(places, tmp_path):
    weights = put(tmp_path / "tuned", id="icu")
    weights.write_bytes(b"changed")
    with pytest.raises(WeightsError, match="SHA-256"):
        register(weights, "x", own=places["own"])


def test_shipped_versions_stay(places):
    with pytest.raises(UsageError, match="came with the program"):
        service.remove(located("icu", **places))
    assert located("icu", **places).weights.is_file()


def test_an_exported_version_comes_back_elsewhere(places, tmp_path):
    file = tmp_path / "icu.zip"
    service.export(located("icu@1.0-film", **places), file)
    there = service.import_file(file, own=tmp_path / "elsewhere")
    assert (there.name, there.weights.read_bytes()) == ("icu@1.0-film", b"film")
    assert [item.name for item in (tmp_path / "elsewhere").iterdir()] == ["icu"]


def test_a_version_that_is_here_already_is_told_from_another_of_its_name(places, tmp_path):
    weights = put(tmp_path / "tuned", b"tuned", id="icu", version="2")
    service.export(register(weights, "ward-7", own=places["own"]), tmp_path / "icu.zip")
    with pytest.raises(UsageError, match="icu@ward-7 is here already") as same:
        service.import_file(tmp_path / "icu.zip", own=places["own"])
    assert same.value.do == "Nothing needs to be added."
    other = put(tmp_path / "other", b"other", id="icu", version="2")
    register(other, "ward-7", own=tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="already, with other weights") as taken:
        service.import_file(tmp_path / "icu.zip", own=tmp_path / "elsewhere")
    assert taken.value.do == "Rename it where it was made, or remove the one here."


@pytest.mark.parametrize("names", [(), ("weights.safetensors",), ("../card.json", "x")])
def test_other_archives_are_refused(tmp_path, names):
    file = tmp_path / "odd.zip"
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    with pytest.raises(WeightsError, match="not an exported version"):
        service.import_file(file, own=tmp_path / "own")
    assert not list(tmp_path.glob("own/*/*"))
    assert not (tmp_path / "card.json").exists()


def test_what_lies_beside_the_weights_goes_along(places, tmp_path):
    weights = put(tmp_path / "tuned", b"tuned", id="icu", version="2")
    weights.with_name(service.BASELINES).write_bytes(b"classical")
    service.export(register(weights, "ward-7", own=places["own"]), tmp_path / "icu.zip")
    there = service.import_file(tmp_path / "icu.zip", own=tmp_path / "elsewhere")
    assert there.weights.with_name(service.BASELINES).read_bytes() == b"classical"


def test_nothing_of_an_import_that_was_cut_short_comes_into_the_next(places, tmp_path):
    left = tmp_path / "own" / ".import"
    left.mkdir(parents=True)
    (left / service.BASELINES).write_bytes(b"of another model")
    service.export(located("icu@1.0-film", **places), tmp_path / "icu.zip")
    there = service.import_file(tmp_path / "icu.zip", own=tmp_path / "own")
    assert not there.weights.with_name(service.BASELINES).exists()


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_a_damaged_archive_is_refused_whatever_is_damaged(places, tmp_path, packing):
    weights = put(tmp_path / "tuned", b"tuned" * 400, id="icu", version="2")
    file, odd = tmp_path / "icu.zip", tmp_path / "odd.zip"
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.write(weights, service.WEIGHTS)
        archive.write(weights.with_name(service.CARD), service.CARD)
    whole = file.read_bytes()
    for at in range(0, len(whole), 97):
        odd.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with contextlib.suppress(WeightsError, UsageError):  # or nothing of it mattered
            service.import_file(odd, own=tmp_path / f"own{at}")
        odd.write_bytes(whole[:at])
        with pytest.raises(WeightsError):
            service.import_file(odd, own=tmp_path / f"cut{at}")


@pytest.mark.parametrize("how", ["cut", "changed"])
def test_an_exported_version_that_is_damaged_is_called_so(how, places, tmp_path):
    weights = put(tmp_path / "tuned", b"tuned" * 400, id="icu", version="2")
    file = tmp_path / "icu.zip"
    service.export(register(weights, "ward-7", own=places["own"]), file)
    whole = file.read_bytes()
    file.write_bytes(
        whole[:1500] if how == "cut" else whole.replace(b"tunedtuned", b"tunEdtuned", 1)
    )
    with pytest.raises(WeightsError, match="is damaged") as caught:
        service.import_file(file, own=tmp_path / "elsewhere")
    assert "Copy the file again" in caught.value.do


def test_a_full_disk_is_not_blamed_on_the_archive(places, tmp_path, monkeypatch):
    service.export(located("icu@1.0-film", **places), tmp_path / "icu.zip")
    true_open = Path.open

    def full(path, mode="r", *more, **named):
        if mode == "wb" and path.name == service.WEIGHTS:
            raise OSError(errno.ENOSPC, "No space left on device")
        return true_open(path, mode, *more, **named)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(WriteError, match="disk is full"):
        service.import_file(tmp_path / "icu.zip", own=tmp_path / "own")
    assert not list(tmp_path.glob("own/*"))


def test_weights_that_do_not_fit_or_of_no_model_are_not_added(places, tmp_path):
    file = tmp_path / "icu.zip"
    service.export(located("icu@1.0-film", **places), file)

    def misfit(model, weights):
        assert (model, weights.read_bytes()) == ("icu", b"film")
        raise WeightsError("other shapes", file="w", do="", code="MV-WGT-004")

    with pytest.raises(WeightsError, match="other shapes"):
        service.import_file(file, own=tmp_path / "own", check=misfit)
    put(tmp_path / "odd", b"odd", id="nosuch", version="2")
    with zipfile.ZipFile(file, "w") as archive:
        for name in (service.WEIGHTS, service.CARD):
            archive.write(tmp_path / "odd" / name, name)
    with pytest.raises(WeightsError, match="a model called nosuch, which is not here"):
        service.import_file(file, own=tmp_path / "own")
    assert not list(tmp_path.glob("own/*"))
    with pytest.raises(InputRefused, match="does not exist"):
        service.import_file(tmp_path / "gone.zip", own=tmp_path / "own")


def test_the_command_lists_exports_imports_and_removes(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("MEDVIEW_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(Context, "call", lambda self, lane, work, *given: checked.append(given[0]))
    checked = []
    weights = put(tmp_path / "tuned", b"tuned", version="2.0")
    register(weights, "mine")

    def told(*words):
        code = main(["versions", *map(str, words), "--json"])
        return code, json.loads(capfd.readouterr().out)

    code, body = told("anomaly")
    assert (code, body["schema"]) == (0, "medview.versions/1")
    assert [row["version"] for row in body["versions"] if row["own"]] == ["mine"]
    assert told("anomaly@mine", "--export", tmp_path / "v.zip")[0] == 0
    assert told("anomaly@mine", "--remove")[0] == 0
    assert not [row for row in told("anomaly")[1]["versions"] if row["own"]]
    assert told("--import", tmp_path / "v.zip", "--remove")[0] == 2
    assert told("--import", tmp_path / "v.zip")[0] == 0
    assert checked == ["anomaly"]
    assert [row["version"] for row in told("anomaly")[1]["versions"] if row["own"]] == ["mine"]
    assert told("anomaly", "--remove")[0] == 2
    assert told("anomaly@no")[0] == 2


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"weights_sha256": "0" * 64}, "SHA-256 differs.*changed after it was exported"),
        ({"version": 3}, "not a model card.*changed after it was exported"),
        ({"title": ""}, "says nothing of title.*changed after it was exported"),
        ({"inputs": []}, "not an exported version of a model"),
    ],
    ids=["hash", "version", "title", "inputs"],
)
def test_an_export_edited_by_hand_is_refused_by_its_own_name(places, tmp_path, changed, says):
    file, odd = tmp_path / "icu.zip", tmp_path / "odd.zip"
    service.export(located("icu@1.0-film", **places), file)
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(odd, "w") as archive:
        archive.writestr(service.WEIGHTS, whole.read(service.WEIGHTS))
        card = json.loads(whole.read(service.CARD)) | changed
        archive.writestr(service.CARD, json.dumps(card))
    with pytest.raises(WeightsError, match=says) as caught:
        service.import_file(odd, own=tmp_path / "elsewhere")
    assert caught.value.file == "odd.zip"
    assert not list(tmp_path.glob("elsewhere/*/*"))


def test_a_file_of_another_model_than_the_named_one_is_not_added(places, tmp_path):
    file, own = tmp_path / "icu.zip", tmp_path / "elsewhere"
    service.export(located("icu@1.0-film", **places), file)
    for named in ("anomaly", "icu@2"):
        with pytest.raises(UsageError, match=rf"this is icu@1\.0-film, not {named}"):
            service.import_file(file, own=own, model=named)
    assert not list(tmp_path.glob("elsewhere/*/*"))
    assert service.import_file(file, own=own, model="icu").name == "icu@1.0-film"


def test_versions_that_are_their_own_ancestors_are_listed_all_the_same():
    def row(version, sha, parent):
        return {"id": "icu", "version": version, "own": True, "weights_sha256": sha,
                "parent": parent}  # fmt: skip

    rows = [row("self", "a", "a"), row("one", "b", "c"), row("two", "c", "b"), row("x", "d", "a")]
    lines = in_words({"versions": rows}).splitlines()
    assert [line.split()[0] for line in lines] == ["icu@self", "icu@x", "icu@one", "icu@two"]
    assert [line.startswith("  ") for line in lines] == [False, True, False, False]
