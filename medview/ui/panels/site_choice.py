"""The site of a result: whether its effect is in the figure, and another site to choose."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox

from medview.services.telling import score_text
from medview.ui.containers import Row
from medview.ui.controls import label, name
from medview.ui.panels.forest import ForestPlot, effects_of
from medview.ui.panels.result_card import Badge, ResultCard
from medview.ui.words import tr

_UNKNOWN_SITE = "unknown"


def site_badge(card: ResultCard, mixed: str) -> Badge | None:
    """Whether the score `mixed`, with the effect of a site, is there (models with sites only)."""
    if not card.result.model.endswith("-armed"):
        return None
    if card.scored(mixed):
        return Badge("site known", "tag", tr("The effect of this site is part of the figure"))
    tip = tr("No effect of a site could be added: the site is not one of training")
    return Badge("unseen site: fixed effects only", tip=tip)


def add_site(card: ResultCard, fixed: str, mixed: str) -> None:
    """Both scores, the sites of training to choose from or unknown, and their effects."""
    for text, key in ((tr("Without site"), fixed), (tr("With site"), mixed)):
        for score in card.scored(key):
            card.row(text, score_text(score), key=f"row_{key}", tip=score.meaning)
    told = card.card.settings.get("sites") if card.card is not None else None
    sites = [str(each) for each in told] if isinstance(told, list | tuple | dict) else []
    if not sites:
        return
    box = QComboBox()
    name(box, "site", tr("Site"))
    box.setToolTip(tr("Where the image was made; unknown leaves the effect of the site out"))
    box.addItems([_UNKNOWN_SITE, *sites])
    here = str(card.result.parameters.get("site") or _UNKNOWN_SITE)
    box.setCurrentText(here if here in sites else _UNKNOWN_SITE)
    box.setFixedWidth(176)
    box.textActivated.connect(
        lambda text: card.app.analysis.again(
            card.result.key, site="" if text == _UNKNOWN_SITE else text
        )
    )
    card.add(Row(label(tr("Site")), 1, box))
    effects = effects_of(card.card.settings.get("site_effects") if card.card else None)
    if effects:
        said = tr("What each site of training adds, with 95 % interval:")
        card.add(label(said, "quiet", wraps=True), ForestPlot(effects, here))
