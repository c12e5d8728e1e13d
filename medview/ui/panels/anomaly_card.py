"""The card of the anomaly model: its score, and whether the passes were enough for it."""

from __future__ import annotations

import numpy as np

from medview.domain.prediction import MOST_SAMPLES
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.inputs import WholeField
from medview.ui.panels.convergence import ConvergenceStrip, convergence_words
from medview.ui.panels.result_card import ResultCard
from medview.ui.words import tr

_MORE = 4


class AnomalyCard(ResultCard):
    """As every result, with the convergence strip and a run again with another K."""

    def build(self) -> None:
        """Head, line, answer; then passes."""
        super().build()
        if self.result.passes:
            self._strip = ConvergenceStrip(self.result)
            self.behind.add(self._strip)
            text = label(convergence_words(self.result), "quiet", wraps=True)
            name(text, "convergence_words", text.text())
            # Shown before it has a parent it would be a window of its own, and take the keyboard.
            self.behind.add(text)
            text.setVisible(bool(text.text()))
            self.app.session.events.views.connect(self._follow)
            self._follow()
        self._add_dial()

    def _add_dial(self) -> None:
        """Another number of passes: the brain is known already, only the draws are made anew."""
        told = self.result.parameters.get("samples")
        here = int(told) if isinstance(told, int | float) else 0
        if here < 1:
            return
        dial = WholeField()
        name(dial, "again_samples", tr("Passes (K)"))
        dial.setRange(1, MOST_SAMPLES)
        dial.setValue(min(_MORE * here, MOST_SAMPLES))
        dial.setToolTip(tr("Passes whose spread is the uncertainty; this result has {k}", k=here))
        go = button(tr("Run again"), "again_run", tip=tr("Run with this number of passes"))
        go.clicked.connect(lambda: self.app.analysis.again(self.result.key, samples=dial.value()))
        said = label(tr("Passes (K): {k}", k=here))
        name(said, "samples_here", said.text())
        self.behind.add(Row(said, 1, dial, go))

    def _follow(self) -> None:
        """Show the curve of the slice that the active pane is at."""
        session = self.app.session
        view = session.views.get(session.active_pane)
        if session.volume is None or view is None:
            return
        geometry = session.volume.geometry
        index = int(np.rint(geometry.to_index(view.point_lps)[geometry.axis_of[2]]))
        self._strip.show_slice(index)
