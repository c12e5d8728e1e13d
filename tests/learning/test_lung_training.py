import numpy as np
import pytest
import torch
from chest_phantom import lungs, picture
from PIL import Image

from medview.domain.errors import DataError
from medview.domain.progress import Silent
from medview.domain.training import TrainRequest
from medview.learning.lung_trainer import LungRecipe, augmented
from medview.learning.lung_training import (
    figures_of,
    fit,
    measured,
    read_film,
    recipe_of,
    train,
)
from medview.learning.subset import TrainCase
from medview.services.recipes import shipped_recipe


def film(folder, name, seed, lateral=False):
    Image.fromarray(picture(seed=seed)).save(folder / f"{name}.png")
    mask = folder / f"{name}-mask.png"
    Image.fromarray((np.logical_or(*lungs()) * 255).astype(np.uint8)).save(mask)
    case = TrainCase(name, f"p{seed}", {"film": folder / f"{name}.png"}, "film",
                     mask=None if lateral else mask)  # fmt: skip
    return read_film(case)


def test_the_shipped_recipe_has_every_setting_and_the_defaults():
    assert recipe_of(shipped_recipe("lung-net")) == LungRecipe()


def test_a_mask_turns_with_its_film(tmp_path):
    one = film(tmp_path, "a", 0)
    x, y = augmented([one] * 6, np.random.default_rng(0))
    assert x.shape == y.shape == (6, 1, 64, 64)
    for grey, mask in zip(x, y, strict=True):
        inside, outside = grey[mask > 0].mean(), grey[mask == 0].mean()
        assert inside < outside  # lungs stay dark wherever the film is moved to


def test_the_network_learns_lungs_and_is_the_same_for_a_seed(tmp_path):
    films = [film(tmp_path, str(k), k) for k in range(4)]
    recipe = LungRecipe(epochs=15, batch=4)
    network = train(Silent(), recipe, films, 0, "").finished()
    assert measured(network, films[0])["dice"] > 0.7
    again = train(Silent(), LungRecipe(epochs=1, batch=4), films, 0, "").model.state_dict()
    same = train(Silent(), LungRecipe(epochs=1, batch=4), films, 0, "").model.state_dict()
    assert all(torch.equal(again[name], same[name]) for name in same)


def test_figures_part_frontal_and_lateral_films():
    lines = [
        {"patient": f"p{k}", "lateral": k % 2, "dice": None if k % 2 else 0.9,
         "refused": k % 2, "two_lungs": 1 - k % 2} for k in range(12)
    ]  # fmt: skip
    found = {(f.name, f.group): f for f in figures_of(lines)}
    assert found["dice", "frontal"].value == pytest.approx(0.9)
    assert found["refused_share", "lateral"].value == 1.0
    assert found["dice", "frontal"].n == 6


def test_without_masks_there_is_nothing_to_learn(tmp_path):
    (tmp_path / "images").mkdir()
    (tmp_path / "metadata.csv").write_text(
        "patient_key,image_file,view,finding,brixia_senior_Global\n"
    )
    with pytest.raises(DataError, match="no"):
        fit(Silent(), TrainRequest((str(tmp_path),), str(tmp_path / "out"), {}))
