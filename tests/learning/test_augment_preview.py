"""What a recipe does to a case is shown by the recipe's own functions, seeded, with its sides."""

import numpy as np
import pytest
from brains import head, write_nifti

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.learning import augment_preview
from medview.learning.augment_preview import preview
from medview.learning.film import Film
from medview.learning.film_lie import UPRIGHT
from medview.services.recipes import read_recipe


def brains(folder):
    """Heads whose left half is bright."""
    for n in range(2):
        picture = head(seed=n).astype(np.float32)
        picture[:20] *= 1.5  # NIfTI is RAS: low i is the patient's left
        write_nifti(folder / f"c{n}.nii.gz", np.clip(picture, 0, 255).astype(np.uint8))
    path = folder / "cases.csv"
    path.write_text("case,t1,label\nc0,c0.nii.gz,0\nc1,c1.nii.gz,0\n")
    return (str(path),)


def brighter_side(variant):
    picture = variant.picture.astype(float)
    columns = np.broadcast_to(np.arange(picture.shape[1]), picture.shape)
    inside = picture > 0.5 * np.percentile(picture[picture > 0], 95)
    on_the_left = columns < np.median(columns[inside])
    left, right = picture[inside & on_the_left].mean(), picture[inside & ~on_the_left].mean()
    return variant.left if left > right else variant.right


def test_six_seeded_variants_of_a_brain_keep_their_sides(tmp_path):
    data, recipe = brains(tmp_path), read_recipe("anomaly")
    shown = preview(Silent(), "anomaly", data, recipe, 0, 3)
    assert (shown.case, len(shown.variants)) == ("c0", 6)
    assert brighter_side(shown.original) == "L"
    assert [brighter_side(one) for one in shown.variants] == ["L"] * 6
    assert {one.left for one in shown.variants} == {"L", "R"}
    again = preview(Silent(), "anomaly", data, recipe, 0, 3)
    for one, other in zip(shown.variants, again.variants, strict=True):
        assert np.array_equal(one.picture, other.picture)
        assert not np.array_equal(one.picture, shown.original.picture)
    assert preview(Silent(), "anomaly", data, recipe, 3, 3).case == "c1"


def test_a_recipe_without_changes_shows_the_case_as_it_is(tmp_path):
    recipe = read_recipe("anomaly")
    recipe["augment"] = dict.fromkeys(recipe["augment"], 0.0)
    shown = preview(Silent(), "anomaly", brains(tmp_path), recipe, 0, 0)
    assert "changes nothing" in shown.words
    assert all(np.array_equal(v.picture, shown.original.picture) for v in shown.variants)


@pytest.fixture
def film(monkeypatch, tmp_path):
    grey = np.full((64, 60), 0.6, np.float32)
    grey[:, :20] = 1.0  # the patient's right
    lungs = np.ones((64, 60), np.int8)
    made = Film(grey, lungs, (2.0, 0.0, 60.0), UPRIGHT, found=True, steps=())
    monkeypatch.setattr(augment_preview, "read_image", lambda path: None)
    monkeypatch.setattr(augment_preview, "prepare_film", lambda volume: made)
    (tmp_path / "a.png").write_bytes(b"x")
    path = tmp_path / "cases.csv"
    path.write_text("case,film,prognosis\na,a.png,MILD\n")
    return (str(path),)


def test_films_are_changed_as_their_copies_are(film):
    shown = preview(Silent(), "cxr", film, {**read_recipe("cxr"), "size": 64}, 0, 1)
    assert brighter_side(shown.original) == "R"
    assert [brighter_side(one) for one in shown.variants] == ["R"] * 6
    assert shown.variants[0].picture.shape == (64, 64)
    assert "2 such copies" in shown.words


def test_one_copy_is_no_augmentation(film):
    shown = preview(Silent(), "cxr", film, {"size": 64, "copies": 1}, 0, 1)
    assert (shown.variants, "one copy of each film" in shown.words) == ((), True)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("brain-age", "noise of standard deviation 0.7, share mixed with another row 0.5"),
        ("brain-age-armed", "share of measures hidden 0.1"),
        ("icu", "share of columns blanked 0.2"),
    ],
)
def test_tables_have_no_picture_and_say_so(model, said):
    shown = preview(Silent(), model, (), read_recipe(model), 0, 0)
    assert shown.original is None
    assert shown.words.startswith("This model learns from tables, so there is no picture")
    assert said in shown.words


def test_cases_without_images_are_refused(monkeypatch):
    monkeypatch.setattr(augment_preview, "find_subsets", lambda *_: [])
    with pytest.raises(DataError, match="no case has an image to show"):
        preview(Silent(), "anomaly", ("x",), {}, 0, 0)
