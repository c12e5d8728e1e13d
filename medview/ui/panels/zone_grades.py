"""The reader's own Brixia grades of the six zones of a film, kept with the result."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout, QWidget

from medview.domain.prediction import GRADES, NO_GRADE, ZONE_GRADES, ZONES, Prediction
from medview.ui.app import App
from medview.ui.containers import Row
from medview.ui.controls import button, label, name, styled
from medview.ui.panels.answers import said_by
from medview.ui.words import tr

_LEAST_PX = 40


class ZoneGrades(QWidget):
    """A field for each zone: not graded, or 0 to 3; all six together can be learnt from."""

    def __init__(self, app: App, result: Prediction) -> None:
        super().__init__()
        self._app, self._result = app, result
        name(self, "zone_grades", tr("Your grades of the zones"))
        self._fields = [self._field(zone) for zone in ZONES]
        fields = QWidget()
        grid = QGridLayout(fields)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(4)
        grid.setVerticalSpacing(2)
        for column, (zone, field) in enumerate(zip(ZONES, self._fields, strict=True)):
            grid.addWidget(label(zone, "quiet"), 0, column)
            grid.addWidget(field, 1, column)
            grid.setColumnStretch(column, 1)
        same = button(
            tr("As the model"),
            "zone_grades_same",
            look="link",
            tip=tr("Fill in what the model says, rounded to whole grades; then correct it"),
        )
        same.clicked.connect(lambda: self._keep(self._of_model()))
        self._who = label("", "quiet", wraps=True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(4)
        rows.addWidget(Row(label(tr("Your grades (0 to 3)"), "quiet"), 1, same))
        rows.addWidget(fields)
        rows.addWidget(self._who)
        app.session.events.opinions.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what is kept."""
        said = self._app.session.opinion(self._result.key, ZONE_GRADES)
        grades = said.verdict if said is not None else NO_GRADE * len(ZONES)
        for field, grade in zip(self._fields, grades, strict=False):
            field.blockSignals(True)
            field.setCurrentIndex(max(field.findData(grade), 0))
            field.blockSignals(False)
        self._who.setText(said_by(said))
        self._who.setVisible(said is not None)

    def _field(self, zone: str) -> QComboBox:
        made = QComboBox()
        name(made, f"zone_grade_{zone}", tr("Your grade of zone {zone}", zone=zone))
        made.addItem("–", NO_GRADE)
        for grade in GRADES:
            made.addItem(grade, grade)
        styled(made, "narrow")
        made.setMinimumWidth(_LEAST_PX)
        made.setToolTip(
            tr(
                "0 nothing, 1 interstitial, 2 both, mostly interstitial, 3 both, mostly alveolar; "
                "– not graded"
            )
        )
        made.activated.connect(
            lambda _: self._keep("".join(str(field.currentData()) for field in self._fields))
        )
        return made

    def _of_model(self) -> str:
        found = [self._result.score(f"brixia_{zone}") for zone in ZONES]
        return "".join(
            NO_GRADE if one is None or one.value is None else str(int(one.value + 0.5))
            for one in found
        )

    def _keep(self, grades: str) -> None:
        nothing = grades == NO_GRADE * len(ZONES)
        self._app.reading.answer(self._result.key, ZONE_GRADES, "" if nothing else grades)
        self.refresh()
