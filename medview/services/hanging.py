"""Hang a study by rules when it is opened, go through the rules that fit, keep new ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from medview.domain.resources import resource
from medview.domain.study import Series
from medview.domain.volume import Volume, Window
from medview.imaging.intensity import preset_window, presets_for
from medview.services.arranging import Arranging
from medview.services.hanging_file import rules_in
from medview.services.hanging_keeping import rule_of
from medview.services.hanging_own import FILE, OwnRules
from medview.services.hanging_rules import PaneRule, Rule, Subject, placed
from medview.services.layouts import MPR, PANES, layout_of, mpr_refusal
from medview.services.session import Session
from medview.services.session_values import Message, Shown
from medview.services.settings import Preferences


class Hanging:
    """Rules of the reader in the settings folder, then those that came with the program.

    `folder` None keeps none of the reader's own. A file that is damaged stops nothing.
    """

    def __init__(
        self,
        session: Session,
        arranging: Arranging,
        preferences: Preferences,
        folder: Path | None = None,
    ) -> None:
        self._session, self._arranging, self._preferences = session, arranging, preferences
        #: The rules of the reader's own.
        self.own = OwnRules(folder, preferences.writer, self._tell)
        self._shipped: tuple[Rule, ...] | None = None
        self._here: Rule | None = None
        self._before: tuple[str, str] | None = None
        self._pending: dict[str, tuple[str, PaneRule]] = {}
        session.events.shown.connect(self._on_shown)
        session.events.volume_id.connect(self._on_shown)

    # -- which fit -------------------------------------------------------------------------

    def rules(self) -> tuple[Rule, ...]:
        """All rules, the reader's own first."""
        if self._shipped is None:
            self._shipped = rules_in(resource(FILE).read_text("utf-8"))[0]
        return (*self.own.rules(), *self._shipped)

    def fitting(self) -> tuple[Rule, ...]:
        """The rules that fit the study on screen, in order."""
        subject = self._subject()
        if subject is None:
            return ()
        return tuple(
            rule
            for rule in self.rules()
            if placed(rule, subject) is not None and not self._refused(rule)
        )

    def _refused(self, rule: Rule) -> bool:
        volume = self._session.volume
        return rule.layout == MPR and volume is not None and bool(mpr_refusal(volume))

    def _subject(self) -> Subject | None:
        series = self._session.series
        owner = self._session.catalogue.owner(series) if series is not None else None
        if series is None or owner is None:
            return None
        return Subject(owner[1], series, self._arranging.prior_of)

    def _tell(self, message: Message) -> None:
        self._session.message = message

    @property
    def here(self) -> Rule | None:
        """The rule that the study on screen was hung by last; None without one."""
        return self._here

    # -- hanging ---------------------------------------------------------------------------

    def open(self, series: Series) -> None:
        """A study came on screen of which nothing is kept: hang it by the first rule that fits.

        Where none fits the panes lie as the reader had them before a rule changed them.
        """
        if self._preferences.settings.hang:
            self.own.look(lambda: self._hang(series))

    def _hang(self, series: Series) -> None:
        if self._session.series is not series:
            return
        self._here, self._pending = None, {}
        rule = next((each for each in self.fitting() if each.auto), None)
        if rule is not None:
            before = self._before[0] if self._is_hung and self._before else self._session.layout
            self.use(rule)
            self._before = before, rule.layout
        elif self._is_hung and self._before is not None:
            back, self._before = self._before[0], None
            self._arranging.hang(back, {}, series)

    @property
    def _is_hung(self) -> bool:
        """Whether the panes lie as a rule has laid them."""
        return self._before is not None and self._before[1] == self._session.layout

    def use(self, rule: Rule) -> bool:
        """Hang the study on screen by a rule; False when it does not fit."""
        subject = self._subject()
        found = placed(rule, subject) if subject is not None else None
        if found is None or subject is None:
            return False
        panes = dict(zip(PANES, found, strict=False))
        self._here = rule
        rows = dict(zip(PANES, rule.panes, strict=False))
        self._pending = {pane: (panes[pane].key, rows[pane]) for pane in rows}
        self._arranging.hang(rule.layout, panes, subject.series)
        self._on_shown()
        return True

    def step(self, steps: int) -> None:
        """Hang by the next rule that fits (or the one before), round and round; say which."""
        self.own.look(lambda: self._step(steps))

    def _step(self, steps: int) -> None:
        rules = self.fitting()
        if not rules:
            self._session.message = Message(self.refusal, "warning")
            return
        if self._here in rules:
            place = (rules.index(self._here) + steps) % len(rules)
        else:
            place = 0 if steps > 0 else len(rules) - 1
        self.choose(rules[place])

    def choose(self, rule: Rule) -> None:
        """Hang by a rule that the reader asked for, and say which; it stays for what comes."""
        rules = self.fitting()
        if rule in rules and self.use(rule):
            self._before = None
            text = f"Hanging {rules.index(rule) + 1} of {len(rules)}: {rule.name}"
            self._session.message = Message(text)

    @property
    def refusal(self) -> str:
        """Why no rule can be used, as a sentence; empty when one fits."""
        if self._session.series is None:
            return "Open a study first."
        return "" if self.fitting() else "No rule of hanging fits this study."

    def _on_shown(self) -> None:
        """What was to come into a pane is there: look at it as the rule says."""
        for pane, (key, row) in tuple(self._pending.items()):
            held = self._session.content(pane)
            if held is None or held.series.key != key or pane not in self._session.views:
                continue
            self._look(pane, held, row)
            # A window that is counted on the volume waits until all of it is there.
            if held.id is not None or not isinstance(row.window, str):
                self._pending.pop(pane, None)

    def _look(self, pane: str, held: Shown, row: PaneRule) -> None:
        session = self._session
        view = session.views[pane]
        wanted = view
        if row.plane is not None and not mpr_refusal(held.volume):
            wanted = replace(wanted, plane=row.plane)
        window = _window_of(held.volume, row, is_whole=held.id is not None)
        if window is not None:
            wanted = replace(wanted, window=window)
        if wanted == view:
            return
        changed = {pane: wanted}
        if layout_of(session).is_mpr:
            changed = {p: replace(v, window=wanted.window) for p, v in session.views.items()}
        session.views = session.views | changed

    # -- keeping ---------------------------------------------------------------------------

    def arrangement(self, name: str) -> Rule | None:
        """What is on screen as a rule of this name; None without a study."""
        subject = self._subject()
        return None if subject is None else rule_of(self._session, subject, name)

    def keep(self, rule: Rule) -> None:
        """Keep a rule of the reader's own; a sentence where that cannot be."""

        def kept() -> None:
            self._here = next((own for own in self.own.rules() if own.name == rule.name), None)

        self.own.keep(rule, hangs=self._preferences.settings.hang, done=kept)


def _window_of(volume: Volume, row: PaneRule, *, is_whole: bool) -> Window | None:
    """The window a rule asks for; None where it asks for none, or it makes no sense here."""
    known = presets_for(volume)
    if isinstance(row.window, tuple):
        width, level = row.window
        is_hu = any(each.window is not None and each.key == "1" for each in known)
        return Window(width, level, "LINEAR", "Rule") if is_hu else None
    found = next((each for each in known if each.key == row.window), None)
    if found is None or (found.window is None and not is_whole):
        return None
    return preset_window(volume, found)
