"""Go on training a version on local cases, and say at once what that changed.

What is held out is chosen by patient before anything is trained. The new card keeps the hash
of its parent and the patients of both, so that no later measurement counts a seen patient.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from medview.domain.comparison import COMPARED_ON, CompareRequest
from medview.domain.errors import DataError
from medview.domain.progress import Progress, Silent, Steered
from medview.domain.training import FinetuneRequest, Place, Rounds, TrainRequest
from medview.domain.wording import counted
from medview.io.atomic import whole_file
from medview.io.cards import CARD, WEIGHTS, read_card, write_card
from medview.io.plain import plain
from medview.io.seen import seen_of
from medview.learning.card_parts import figure_of
from medview.learning.cases import find_subsets
from medview.learning.compare import EVERYBODY, compare
from medview.learning.descent import descend, training_of
from medview.learning.patients import patient_hash
from medview.learning.subset import TrainCase, none_usable
from medview.learning.too_alike import OUTCOMES, refuse_one_outcome

EVERY = 5
"""One patient of so many is held out where the data do not say who."""
PAUSE = "pause"
"""The hint that makes a training wait."""
_PAUSE_S = 0.1
_SHARED = "patients of the locked set are among the cases, too"
FEWEST = 4
"""Patients: below, nothing can be held out and told apart from chance."""


def survey(
    job: Progress, model: str, data: tuple[str, ...], init: str | None = None
) -> dict[str, Any]:
    """Count what a training from the weights `init` would find, before anything runs.

    Returns
    -------
    dict
        ``cases``, ``patients``, ``sites``, ``parts`` (cases by split, "" where it is open),
        ``labels`` (cases by label, where there are some), ``ages`` (lowest and highest), ``files``
        (the image of each case), ``by_site`` (cases by site, where there are some), ``seen``
        (the patients whom those weights have learnt from) and ``skipped`` (case and reason).

    Raises
    ------
    DataError
        Unusable data, or a patient in two parts.
    """
    job.report(0, 1, "looking at the cases")
    subsets = find_subsets(data, model)
    cases = [case for subset in subsets for case in subset.cases]
    skipped = [(one.case, one.what) for subset in subsets for one in subset.skipped]
    return told_of(model, cases, skipped, init)


def told_of(
    model: str,
    cases: Sequence[TrainCase],
    skipped: Sequence[tuple[str, str]],
    init: str | None = None,
) -> dict[str, Any]:
    """What ``survey`` says of these cases.

    Raises
    ------
    DataError
        If all of them have the same outcome.
    """
    refuse_one_outcome(model, cases)
    ages = [case.age_years for case in cases if case.age_years is not None]
    patients = {case.patient for case in cases}
    return {
        "cases": len(cases),
        "patients": len(patients),
        "seen": len(_seen_by(init, {patient_hash(each) for each in patients})),
        "sites": len({case.site for case in cases if case.site}),
        "by_site": dict(Counter(case.site for case in cases if case.site)),
        "parts": dict(Counter(case.split for case in cases)),
        "labels": _balance(cases),
        "ages": (min(ages), max(ages)) if ages else None,
        "files": {case.case: str(case.image) for case in cases if case.role in case.images},
        "skipped": list(skipped),
    }


def look_at_locked(
    job: Progress, model: str, data: tuple[str, ...], reference: tuple[str, ...]
) -> dict[str, Any]:
    """Count the cases of a locked set, and name the patients that are among the others, too.

    Returns
    -------
    dict
        ``cases``, ``patients``, ``shared`` (the patients in both) and ``what``, which names them.

    Raises
    ------
    DataError
        Unusable data.
    """
    job.report(0, 1, "looking at the locked set")
    own, locked = (
        [case for subset in find_subsets(specs, model) for case in subset.cases]
        for specs in (data, reference)
    )
    shared = {case.patient for case in own} & {case.patient for case in locked}
    return {
        "cases": len(locked),
        "patients": len({case.patient for case in locked}),
        "shared": sorted(shared),
        "what": f"{_SHARED}: {_named(sorted(shared))}" if shared else "",
    }


def refuse_shared(job: Progress, request: FinetuneRequest) -> None:
    """Refuse a locked set with patients who are trained on or held out: it is none, then.

    Nor is it one where the version to start from has seen all of them.

    Raises
    ------
    DataError
        Naming the first such patients.
    """
    if not request.reference:
        return
    found = look_at_locked(job, request.model, request.train.data, request.reference)
    if found["shared"]:
        raise DataError(
            _SHARED,
            code="MV-DAT-147",
            file=_named(found["shared"]),
            do="Take them out of the cases or out of the locked set.",
        )
    locked = [c for s in find_subsets(request.reference, request.model) for c in s.cases]
    _refuse_all_seen(request, locked, "of the locked set", "Choose another locked set.")


def _refuse_all_seen(
    request: FinetuneRequest, cases: Sequence[TrainCase], which: str, do: str
) -> None:
    """Refuse, before anything is trained, cases on which old and new could not be compared.

    Raises
    ------
    DataError
        If the version to start from has seen every patient of them.
    """
    people = {patient_hash(case.patient) for case in cases}
    if people and _seen_by(request.train.init, people) >= people:
        told = f"all {len(people)} patients" if len(people) > 1 else "the one patient"
        raise DataError(
            f"the version to start from was trained on {told} {which}; old and new cannot be "
            "compared on them",
            code="MV-DAT-149",
            do=do,
        )


def _named(patients: Sequence[str]) -> str:
    """The first of some patients, and how many more there are."""
    more = f" and {len(patients) - 5} more" if len(patients) > 5 else ""
    return f"{', '.join(patients[:5])}{more}"


def _balance(cases: Sequence[TrainCase]) -> dict[str, int]:
    """How many cases have each label: lesion or not, outcome, or death."""
    found = Counter(f"label {case.label}" for case in cases if case.label is not None)
    for name in OUTCOMES.values():
        found.update(f"{name} {case.cells[name]}" for case in cases if case.cells.get(name))
    return dict(found)


@dataclass(frozen=True, slots=True)
class _Quiet(Silent):
    """Progress without parts but where it runs and how long: epochs are told by history.csv.

    Where the reader has said so, it waits between two epochs.
    """

    job: Progress
    heard: list[tuple[int, int]] = field(default_factory=lambda: [(0, 1)])

    def report(self, done: int, total: int, text: str = "") -> None:
        """Pass it on."""
        self.heard[:] = [(done, total)]
        self.job.report(done, total, text)

    def partial(self, payload: object) -> None:
        """Pass on where it runs, and how many epochs there are."""
        if isinstance(payload, (Place, Rounds)):
            self.job.partial(payload)

    def check(self) -> None:
        """Ask the whole, and wait as long as the reader wants a pause."""
        self.job.check()
        if not self._waits():
            return
        # In steps of another size: time that is left is counted anew after the pause.
        [(done, total)] = self.heard
        self.job.report(2 * done, 2 * total, "paused")
        while self._waits():
            time.sleep(_PAUSE_S)
            self.job.check()

    def _waits(self) -> bool:
        return isinstance(self.job, Steered) and self.job.hint() == PAUSE


def held_out(request: FinetuneRequest) -> tuple[str, ...]:
    """Hashes of the patients that are kept for validation; none where the data name some.

    They are among those whom the version to start from has not seen: on others old and new
    cannot be compared.

    Raises
    ------
    DataError
        If there are too few such patients, none among those whom the data name, or a patient is in
        two parts.
    """
    subsets = find_subsets(request.train.data, request.model)
    cases = [case for subset in subsets for case in subset.cases if not subset.training_only]
    skipped = [one for subset in subsets for one in subset.skipped]
    if skipped and not cases:
        raise none_usable(skipped, "MV-DAT-142")
    refuse_one_outcome(request.model, cases)
    if any(case.split == "val" for case in cases):
        apart = [case for case in cases if case.split in ("val", "test")]
        _refuse_all_seen(request, apart, "marked as val", "Mark other patients as val.")
        return ()
    here = {patient_hash(case.patient) for case in cases if case.split in ("", "train")}
    hashes = sorted(here - _seen_by(request.train.init, here))
    if len(hashes) < FEWEST:
        few = counted(len(hashes), "patient")
        raise DataError(
            f"{few} that the version has not seen: too few to hold one out",
            code="MV-DAT-144",
            do=f"Give at least {FEWEST}, or mark cases of such patients as val in a case list.",
        )
    return tuple(hashes[request.train.seed % EVERY :: EVERY] or hashes[:1])


def _seen_by(weights: str | None, hashes: set[str]) -> frozenset[str]:
    """Which of some patients the version to start from has seen."""
    card = Path(weights or "").with_name(CARD) if weights else None
    known = card is not None and card.is_file()
    return seen_of(read_card(card), hashes) if card is not None and known else frozenset()


def finetune(job: Progress, request: FinetuneRequest, trainer: str) -> dict[str, Any]:
    """Train from the given version, then compare old and new on what is held out.

    `trainer` is the "module:function" of the model's training. Writes what ``train`` writes and
    before_after.json.

    Returns
    -------
    dict
        The answer of the training, with ``before_after``.

    Raises
    ------
    DataError
        Unusable data; a patient in two parts; no truth to compare on.
    """
    refuse_shared(job, request)
    own = replace(request.train, held_out=held_out(request))
    body = run_trainer(job, own, trainer)
    out = Path(own.out)
    descend(out, Path(cast(str, own.init)))
    found = compared(job, request, "validation", own.data)
    if request.reference:
        found = joined(found, compared(job, request, "reference", request.reference))
    write_before_after(out, found)
    _tell_card(out / CARD, request, found)
    return {**body, "held_out": len(own.held_out), "before_after": plain(found)}


def run_trainer(job: Progress, request: TrainRequest, trainer: str) -> dict[str, Any]:
    """Run the "module:function" of a model's training; it waits where the reader wants a pause."""
    return training_of(trainer)(_Quiet(job), request)


def write_before_after(out: Path, found: Mapping[str, Any]) -> None:
    """Write before_after.json. Raises WriteError."""
    with whole_file(out / "before_after.json") as draft:
        text = json.dumps(plain({"schema": "medview.before_after/1", **found}), indent=1)
        draft.write_text(text + "\n", "utf-8")


def _tell_card(path: Path, request: FinetuneRequest, found: Mapping[str, Any]) -> None:
    """Put the figures of old and new on the new card, and before its limits what became worse."""
    command = f"medview finetune {request.model} --method {request.train.method} --data DATA"
    command += " --reference REFERENCE" if request.reference else ""
    figures = tuple(figure_of(row, f"{command} --out DIR") for row in found["metrics"])
    card = read_card(path)
    limits = (*_worse_words(found["worse"]), *card.limits)
    write_card(replace(card, measured=(*card.measured, *figures), limits=limits), path)


def _worse_words(worse: Sequence[str]) -> tuple[str, ...]:
    """A limit that says what became worse for sure ("reference mae"); none where nothing did."""
    pairs = (each.rpartition(" ") for each in worse)
    told = [f"{name.replace('_', ' ')} on {COMPARED_ON.get(on, on)}" for on, _, name in pairs]
    return (f"Worse than the version it was made from: {'; '.join(told)}.",) if told else ()


def compared(
    job: Progress,
    request: FinetuneRequest,
    group: str,
    data: tuple[str, ...],
    folder: str = "",
) -> dict[str, Any]:
    """Old and new on data, every row and figure marked with the name of the group.

    Those of one of several sites are of the group "GROUP, site:NAME".
    What both said lies in ``comparison/`` in a folder of that name, or in `folder`.
    """
    train = request.train
    body = compare(
        job,
        CompareRequest(
            request.model,
            cast(str, train.init),
            str(Path(train.out) / WEIGHTS),
            data,
            str(Path(train.out) / "comparison" / (folder or group)),
            device=train.device,
            threads=train.threads,
            seed=train.seed,
            private=train.private,
        ),
    )
    for row in (*body["metrics"], *body["differences"]):
        row["group"] = group if row["group"] == EVERYBODY else f"{group}, {row['group']}"
    body["worse"] = [f"{group} {name}" for name in body["worse"]]
    return body


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Rows of two comparisons together."""
    return {name: [*one[name], *other[name]] for name in ("metrics", "differences", "worse")}
