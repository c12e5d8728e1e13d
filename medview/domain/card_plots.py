"""All that can be drawn of the figures of a card."""

from __future__ import annotations

from medview.domain.card import ModelCard
from medview.domain.reliability_plot import reliability_plots
from medview.domain.report import Plot
from medview.domain.uncertainty_plot import uncertainty_plot

UNCERTAINTY, CALIBRATION = "Error beside predicted uncertainty", "Told beside happened"


def card_plots(card: ModelCard) -> tuple[tuple[str, Plot], ...]:
    """Each drawing with its title; none where nothing of the kind was measured."""
    errors = uncertainty_plot(card.measured)
    first = ((UNCERTAINTY, errors),) if errors is not None else ()
    return (*first, *((CALIBRATION, plot) for plot in reliability_plots(card)))
