"""What the anomaly model is not given, and what it says of values that are not numbers."""

from dataclasses import replace

import numpy as np
import pytest
from phantoms import geometry_of, phantom, phantom_on
from throwaway import small_head, throwaway_weights

from medview.domain.errors import ModelInputError
from medview.domain.prediction import InputRef, RunRequest
from medview.domain.progress import Silent
from medview.learning.predict import run
from medview.learning.refusals import few_slices, is_inverted, kind_of, notes_on, refuse_unfit

pytestmark = pytest.mark.usefixtures("narrow")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return throwaway_weights(tmp_path_factory.mktemp("weights"))


def with_values(array, **fields):
    head = small_head("")
    return replace(head, array=np.asarray(array), **fields)


def requested(volume, weights, **more):
    return RunRequest(
        "anomaly",
        {"t1": volume},
        (InputRef("t1", "1", "2", 0, "", (1, 1, 1)),),
        samples=1,
        weights=str(weights),
        device="cpu",
        **more,
    )


def ct_like():
    return np.where(small_head().array > 0, 40, -1024).astype(np.int16)


@pytest.mark.parametrize(
    ("volume", "says"),
    [
        (phantom(modality="CT"), "this is CT, the model needs MR"),
        (phantom(modality="PT"), "this is PET"),
        (phantom(modality="CR"), "this is a film"),
        (with_values(ct_like()), "this is CT"),
        (with_values(small_head().array, quantity="HU"), "this is CT"),
        (phantom_on(geometry_of("LSP", shape=(1, 20, 24))), "a single slice of another plane"),
        (phantom_on(geometry_of("PIR", shape=(3, 20, 24))), "only 3 slices"),
    ],
)
def test_what_is_no_mr_volume_is_refused_in_a_sentence(volume, says):
    with pytest.raises(ModelInputError) as caught:
        refuse_unfit(volume)
    assert says in str(caught.value)
    assert caught.value.do
    assert caught.value.exit_code == 3


def test_a_few_axial_slices_are_taken_but_are_no_volume():
    for count, few in ((1, 1), (4, 4), (5, 0)):
        volume = phantom_on(geometry_of(shape=(count, 20, 24)))
        refuse_unfit(volume)
        assert few_slices(volume) == few
    assert few_slices(phantom_on(geometry_of("PIR", shape=(20, 2, 24)))) == 2


@pytest.mark.parametrize("modality", ["", "MR"])
def test_a_head_with_dark_and_bright_swapped_is_called_so_and_no_ct(modality):
    array = small_head().array.astype(np.float32) * 10
    for swapped in (-array, array.max() - array):
        with pytest.raises(ModelInputError, match="dark and bright are swapped") as told:
            refuse_unfit(with_values(swapped, modality=modality))
        assert "CT" not in str(told.value)


def test_a_head_that_fills_its_picture_with_all_signs_turned_is_no_ct():
    head = small_head("").array.astype(np.float32)
    tight = -10 * head[:, 8:-8, 8:-8]
    edged = np.pad(tight, 4, constant_values=-4000)
    for turned in (tight, edged):
        volume = phantom_on(geometry_of(shape=turned.shape))
        with pytest.raises(ModelInputError, match="swapped: no value is above zero"):
            refuse_unfit(replace(volume, array=turned, modality=""))


def test_a_white_frame_round_a_picture_turns_nothing_round():
    array = np.zeros((1, 200, 200), np.uint8)
    array[:, 60:140, 60:140] = 120
    array[:, [0, -1]] = array[:, :, [0, -1]] = 255
    picture = replace(phantom_on(geometry_of(shape=array.shape)), array=array)
    assert not is_inverted(picture)
    assert is_inverted(replace(picture, array=255 - array))


def test_ct_without_a_word_in_its_header_is_still_called_ct():
    assert kind_of(with_values(ct_like())) == "CT (its values are Hounsfield units)"
    assert not is_inverted(with_values(ct_like()))
    assert not is_inverted(small_head())


def test_values_below_zero_alone_make_no_ct():
    standardised = (small_head().array.astype(np.float32) - 100) / 30
    refuse_unfit(with_values(standardised))
    refuse_unfit(small_head())


def test_a_volume_without_any_number_is_refused(weights):
    nothing = with_values(np.full((24, 32, 28), np.nan, np.float32))
    with pytest.raises(ModelInputError, match="NaN"):
        run(Silent(), requested(nothing, weights))


@pytest.mark.parametrize("model", ["anomaly", "brain-age"])
def test_neither_model_of_the_head_answers_about_noise(weights, model):
    noise = np.abs(np.random.default_rng(0).normal(0, 100, (60, 70, 60))).astype(np.float32)
    volume = replace(phantom_on(geometry_of("LPS", noise.shape, (3.0, 3.0, 3.0))), array=noise)
    asked = requested(volume, weights)
    if model == "brain-age":
        asked = replace(asked, model=model, weights=None)
    with pytest.raises(ModelInputError, match="no brain was found"):
        run(Silent(), asked)


def test_voxels_that_are_no_numbers_are_no_brain_and_the_result_says_how_many(weights):
    array = small_head().array.astype(np.float32)
    array[12, 14:18, 12:16] = np.nan
    array[0] = np.inf
    found = run(Silent(), requested(with_values(array), weights))
    assert "NOT_FINITE" in [note.code for note in found.warnings]
    assert all(np.isfinite(item.array).all() for item in found.maps)
    assert not found.map("brain").array[12, 14:18, 12:16].any()
    assert found.map("brain").array.mean() > 0.1


def test_the_share_of_values_that_are_no_numbers_is_told():
    array = np.zeros((24, 32, 28), np.float32)
    array[:6] = np.nan
    assert "25.0 % of the values" in notes_on(with_values(array))[0].text
    assert notes_on(small_head()) == []


def test_a_picture_that_says_nothing_of_itself_is_refused():
    volume = phantom()
    bare = replace(
        volume.geometry, shape=(1, *volume.geometry.shape[1:]), spacing_kind=None,
        orientation_known=False,
    )  # fmt: skip
    picture = replace(volume, array=volume.array[:1], geometry=bare, modality="")
    with pytest.raises(ModelInputError, match="neither that it is MR nor how large"):
        refuse_unfit(picture)
    refuse_unfit(replace(picture, modality="MR"))
    refuse_unfit(replace(picture, geometry=replace(bare, spacing_kind="patient")))
