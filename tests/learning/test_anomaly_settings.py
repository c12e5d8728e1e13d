"""Settings of scores, in a card and back."""

from medview.learning.anomaly_settings import AnomalySettings, Norm


def test_settings_go_to_a_card_and_back():
    settings = AnomalySettings(
        samples=7, alpha=0.3, rule="product", quantile=0.95, residual_norm=Norm(1, 2)
    )
    kept = {**settings.to_card(), "network": {}, "something": "else"}
    assert AnomalySettings.from_card(kept) == settings


def test_a_card_that_says_nothing_gives_the_defaults():
    assert AnomalySettings.from_card({}) == AnomalySettings()


def test_the_published_form_is_the_default_where_there_is_one():
    plain = AnomalySettings()
    # Five draws, the ratio, means over the slice; alpha is not printed.
    assert (plain.samples, plain.rule, plain.quantile, plain.alpha) == (5, "ratio", 0.0, 0.5)
    # Nothing of ours beside it that a card does not ask for.
    assert (plain.wide_px, plain.volume_mm, plain.opposite) == (0.0, 0.0, 0.0)
    assert (plain.grow, plain.floor) == (1.0, None)
    assert (plain.residual_norm, plain.score_norm) == (Norm(0.0, 1.0), Norm(0.0, 1.0))


def test_single_slices_have_thresholds_of_their_own_and_no_neighbours():
    plain = AnomalySettings(volume_mm=4.5, threshold=3.0, residual_threshold=0.1,
                            slice_threshold=5.0, slice_residual_threshold=0.2)  # fmt: skip
    single = plain.of_single_slices()
    found = (single.volume_mm, single.threshold, single.residual_threshold)
    assert found == (0.0, 5.0, 0.2)


def test_an_older_card_means_its_thresholds_for_single_slices_too():
    found = AnomalySettings.from_card({"threshold": 3.0, "residual_threshold": 0.1})
    assert (found.slice_threshold, found.slice_residual_threshold) == (3.0, 0.1)
    own = AnomalySettings.from_card({"threshold": 3.0, "slice_threshold": 4.0})
    assert own.slice_threshold == 4.0
