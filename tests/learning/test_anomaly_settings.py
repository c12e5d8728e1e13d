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
