"""The arrangement on screen as a rule that says nothing of the patient."""

from __future__ import annotations

from dataclasses import replace

from medview.domain.geometry import Plane
from medview.domain.study import Series
from medview.domain.volume import Volume
from medview.imaging.intensity import presets_for
from medview.imaging.view import View
from medview.services.hanging_rules import PaneRule, Rule, Subject, tokens
from medview.services.layouts import LAYOUTS, MPR, PANES, is_prior, layout_of
from medview.services.session import Session
from medview.services.session_values import Shown

# Words that say what a series shows, and of which part. Only these are kept of a description:
# people type names into descriptions.
_SERIES_WORDS = tokens("""
    t1 t2 t2star pd flair stir tirm dixon mprage bravo space haste vibe tse gre se swi swan mip
    minip dwi adc trace diffusion dti tof mra mrv asl bold fmri perfusion gd km ce contrast post
    pre native arterial venous portal delayed fs fatsat axial ax tra transverse sag sagittal cor
    coronal lung bone brain soft tissue mediastinum liver vessel thin thick scout localizer
    topogram pa ap lat lateral frontal oblique cc mlo
""")
_BODY_WORDS = tokens("""
    head brain skull orbit sinus face neck cspine tspine lspine spine chest thorax lung lungs
    heart breast abdomen liver kidney pelvis hip knee ankle foot shoulder elbow wrist hand
    extremity whole body
""")


def rule_of(session: Session, subject: Subject, name: str) -> Rule:
    """What is on screen as a rule of this name.

    It asks for modality and body part, and for an earlier study where one is on screen.
    """
    layout = LAYOUTS.get(session.layout, LAYOUTS[MPR])
    rows: list[PaneRule] = []
    held: list[Series] = []
    for pane in layout.panes if session.shown else PANES[:1]:
        shown = session.content(pane)
        if shown is None:
            break
        rows.append(_row(session, shown, session.views[pane], held, subject))
        held.append(shown.series)
    body = tokens(" ".join(each.body_part for each in subject.study.series)) & _BODY_WORDS
    return Rule(
        name,
        layout.key,
        tuple(rows),
        (subject.series.modality,) if subject.series.modality else (),
        tuple(sorted(body)),
        prior=True if any(row.source == "prior" for row in rows) else None,
    )


def _row(
    session: Session, shown: Shown, view: View, before: list[Series], subject: Subject
) -> PaneRule:
    """What one pane holds, by words, place in the study, or as the like of another pane."""
    is_flat = shown.volume.is_film or layout_of(session).is_mpr or view.plane is Plane.ACQUIRED
    row = PaneRule(plane=None if is_flat else view.plane, window=_window_kept(shown.volume, view))
    if is_prior(session, shown):
        alike = (n for n, s in enumerate(before, 1) if subject.prior_of(s) is shown.series)
        return replace(row, source="prior", like=next(alike, 1))
    words = " ".join(sorted(tokens(shown.series.description) & _SERIES_WORDS))
    side = shown.series.laterality if shown.series.laterality in ("L", "R") else ""
    row = replace(row, words=(words,) if words else (), side=side, again=shown.series in before)
    if not words and before and not row.again and shown.series in subject.shown:
        return replace(row, number=subject.shown.index(shown.series) + 1)
    return row


def _window_kept(volume: Volume, view: View) -> str | tuple[float, float] | None:
    """A window that means the same on another study: a preset, or width and level in HU."""
    if view.window is None:
        return None
    for each in presets_for(volume):
        if len(each.key) == 1 and each.title == view.window.label:
            return each.key
    is_hu = volume.modality == "CT" and volume.quantity == "HU"
    return (round(view.window.width, 1), round(view.window.level, 1)) if is_hu else None
