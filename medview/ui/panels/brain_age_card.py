"""Brain age: with its interval, both gaps, the cohort round the patient, and the site."""

from __future__ import annotations

from medview.domain.prediction import Score
from medview.services.report_plots import reference_people
from medview.services.telling import interval_text, score_text
from medview.ui.containers import Row
from medview.ui.controls import button, label, name
from medview.ui.inputs import DecimalField
from medview.ui.panels.plots import CohortPlot
from medview.ui.panels.result_card import Badge, ResultCard
from medview.ui.panels.site_choice import add_site, site_badge
from medview.ui.words import tr, unbroken

# The percentile is said of people within so many years of the patient's age, if they are enough.
_NEAR_YEARS = 5.0
_FEWEST = 10
_MALE = 0.5
_FEATURES = {"smri": "structural features", "fmri": "functional features"}
_SEXES = {"F": "female", "M": "male"}


class BrainAgeCard(ResultCard):
    """Never the corrected gap without the raw one; grey where the model extrapolates."""

    def build(self) -> None:
        """Head, age, gaps, cohort, site, input check."""
        age = self.result.score("age")
        badges = site_badge(self, "age_mixed"), self._missing_badge(), _range_badge(age)
        self.add_head(tr("Brain age"), *badges)
        given = self._given_age()
        self.add_line(
            tr("age {n} y", n=f"{given:.1f}".removesuffix(".0")) if given is not None else "",
            score=age,
        )
        for said in self._sources():
            self.add(label(said, "quiet", wraps=True))
        if given is None:
            self._ask_age()
        else:
            self._add_gaps()
            self._add_cohort(given)
        add_site(self, "age_fixed", "age_mixed")
        self._check_sex()
        self.add_answer()

    def _given_age(self) -> float | None:
        """The age that the gap is taken from; None where nobody has told it."""
        told = self.result.parameters.get("age_years")
        return float(told) if isinstance(told, int | float) else None

    def _missing_badge(self) -> Badge | None:
        """One of two tables was not there."""
        given = {each.role for each in self.result.inputs}
        if given & {"smri", "fmri"} == {"smri"} and self._takes("fmri"):
            return Badge("sMRI only", tip=tr("Without functional features"))
        if given & {"smri", "fmri"} == {"fmri"} and self._takes("smri"):
            return Badge("fMRI only", tip=tr("Without structural features"))
        return None

    def _sources(self) -> tuple[str, ...]:
        """Which of what is open the age was not told from: with a table the images count for none.

        That would not be seen otherwise.
        """
        given = {each.role for each in self.result.inputs}
        said = []
        if given & set(_FEATURES) and self._takes("t1") and self.app.session.volume is not None:
            said.append(tr("Told from the table; the images were not used."))
        for role in _FEATURES:
            if role in self.app.session.tables and role not in given:
                learnt = self._takes(role)
                why = (
                    tr("run again to use them")
                    if learnt
                    else tr("this version has not learnt from them")
                )
                said.append(
                    tr("Open, but not used: {what}; {why}.", what=tr(_FEATURES[role]), why=why)
                )
        return tuple(said)

    def _takes(self, role: str) -> bool:
        return self.card is not None and any(each.role == role for each in self.card.inputs)

    def _add_gaps(self) -> None:
        for text, key in ((tr("Gap, corrected"), "gap_corrected"), (tr("Gap, raw"), "gap_raw")):
            score = self.result.score(key)
            if score is None:
                continue
            bounds = unbroken(interval_text(score))
            value = score_text(score) + (f"  ({bounds})" if bounds else "")
            told = value if score.value is not None else tr("not available")
            self.row(text, told, key=f"row_{key}", tip=score.meaning)

    def _add_cohort(self, given: float) -> None:
        cohort, age = list(reference_people(self.result, self.card)), self.result.score("age")
        if self.result.parameters.get("route") == "t1":
            self._add_words(
                tr("No percentile: the reference cohort has tables of regions, no images.")
            )
        if not cohort or age is None or age.value is None:
            return
        bounds = (age.low, age.high) if age.low is not None and age.high is not None else None
        self.add(CohortPlot(cohort, (given, age.value), bounds))
        self._add_words(cohort_words(cohort, given, age.value))

    def _add_words(self, said: str) -> None:
        """Where the patient stands in the cohort, in words."""
        text = label(said, "quiet", wraps=True)
        name(text, "cohort_words", said)
        self.add(text)

    def _ask_age(self) -> None:
        """The gap needs an age, and no header tells it."""
        field = DecimalField()
        name(field, "age_given", tr("Age at the scan"))
        field.setToolTip(tr("Age on the day of the scan, in years"))
        field.setRange(0, 120)
        field.setDecimals(1)
        field.setSuffix(tr(" y"))
        field.setSpecialValueText(tr("not given"))
        field.setFixedWidth(100)
        go = button(tr("Run again"), "age_run", tip=tr("Compute the gap with this age"))
        go.setEnabled(False)
        field.valueChanged.connect(lambda value: go.setEnabled(value > 0))
        go.clicked.connect(
            lambda: self.app.analysis.again(self.result.key, age_years=field.value())
        )
        said = tr("No birth date in the files, so there is no gap. Age at the scan:")
        self.add(label(said, "quiet", wraps=True), Row(field, 1, go))

    def _check_sex(self) -> None:
        """The sex head only checks the input; it is never a finding."""
        told, score = self.result.parameters.get("sex"), self.result.score("sex_male")
        if score is None or score.value is None or told not in ("F", "M"):
            return
        seen = "M" if score.value >= _MALE else "F"
        if seen != told:
            share = score.value if seen == "M" else 1 - score.value
            said = tr(
                "Input check: {what} look {seen} ({share} %), recorded is {told}. "
                "Check whose they are.",
                what=self._looked_at(),
                seen=tr(_SEXES[seen]),
                share=f"{100 * share:.0f}",
                told=tr(_SEXES[str(told)]),
            )
            made = label(said, "attention", wraps=True)
            name(made, "sex_check", said)
            self.add(made)

    def _looked_at(self) -> str:
        given = {each.role for each in self.result.inputs}
        return tr("the features") if given & set(_FEATURES) else tr("the images")


def cohort_words(cohort: list[tuple[float, float]], given: float, predicted: float) -> str:
    """Where the gap stands among people of about the same age, with their number."""
    near = [p - a for a, p in cohort if abs(a - given) <= _NEAR_YEARS]
    if len(near) < _FEWEST:
        few = {0: tr("Nobody"), 1: tr("Only 1 person")}
        who = few.get(len(near), tr("Only {n} people", n=len(near)))
        return tr(
            "{who} of the reference cohort within 5 years of this age: no percentile.", who=who
        )
    below = sum(gap < predicted - given for gap in near) / len(near)
    return tr(
        "Raw gap above that of {share} % of {n} people within 5 years of this age.",
        share=f"{100 * below:.0f}",
        n=len(near),
    )


def _range_badge(age: Score | None) -> Badge | None:
    if age is None or age.status != "extrapolating":
        return None
    return Badge("outside training ages", tip=tr("The model has seen nobody of this age"))
