"""What is said of a version of the ICU model: made where it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.domain.study import FILM_MODALITIES
from medview.domain.wording import counted, lead
from medview.learning.card_parts import UNMEASURED, figure_of, licence_of
from medview.learning.icu_model import IcuModel
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.icu_site_card import HOURLY, with_sites
from medview.learning.metrics import MetricRow
from medview.learning.patients import patient_hash
from medview.learning.site_effects import FIXED, NETWORK
from medview.learning.subset import Subset

PUBLISHED = (
    Figure("roc_auc", 0.865, "MIMIC-IV with films, death in hospital, MedFuse (another data set)"),
    Figure("pr_auc", 0.594, "MIMIC-IV with films, death in hospital, MedFuse (another data set)"),
)
SOURCE = "Rasekh et al., Robust Fusion of Time Series and Image Data, arXiv 2405.15442"
SAMPLES = 8
"""Passes with dropout whose spread is the interval of a risk."""
FILM_VERSION = "1.0-hannover"
DETECTED = (
    "Most severe films show a patient who is already in intensive care (bedside film, tubes, "
    "lines): the figure is of detecting that, not of a forecast. The number of films alone tells "
    "much of it."
)


def make_card(
    model: IcuModel,
    recipe: IcuRecipe,
    subsets: Sequence[Subset],
    patients: Sequence[str],
    rows: Mapping[str, Sequence[MetricRow]],
    command: str,
    effects: Sequence[Mapping[str, object]] = (),
) -> ModelCard:
    """The card of freshly trained weights; its hash is filled in when they are saved.

    `effects` are what sites add, where they have effects.
    """
    figures = tuple(f for some in rows.values() for f in figure_rows(some, command))
    film = model.uses_film
    series = InputSpec("series", "time series of a stay (CSV: Hours + variables)", not film, ())
    films = (InputSpec("film", "frontal chest film", False, FILM_MODALITIES),) if film else ()
    maps = (OutputSpec("evidence", "map"),) if film else ()
    names = [name for part in model.parts.values() for name in part.outputs]
    card = ModelCard(
        id=recipe.MODEL,
        version=FILM_VERSION if film else "1.0",
        title="ICU series and film" if film else "ICU series",
        summary=_summary(names, film),
        inputs=(series, *films),
        outputs=(*(OutputSpec(name, "score") for name in names), *maps),
        preparation=(
            f"map of variables {model.variables.name}: {model.variables.columns} numbers a bin of "
            f"{model.variables.bin_hours:g} h",
            "last value of a bin, carried forward; never measured: imputed",
            "foreign units turned, impossible values left out, the others clipped",
        ),
        intended_use="Research on records of adults. Not for diagnosis, triage or treatment.",
        limits=_limits(model, patients, figures),
        method=_method(model, recipe, figures),
        licence=licence_of(subsets),
        source=SOURCE,
        trained_on=tuple(
            TrainedOn(s.name, s.n_patients, s.licence, _note(s, film=film))
            for s in subsets
            if s.cases
        ),
        measured=figures,
        published=() if film else PUBLISHED,
        settings={**model.to_card(), "samples": SAMPLES, "recipe": asdict(recipe)},
        seen_patients=tuple(sorted(patient_hash(patient) for patient in patients)),
    )
    return card if recipe.rule is None else with_sites(card, model, effects)


def figure_rows(rows: Sequence[MetricRow], command: str) -> list[Figure]:
    """Metric rows as figures of a card."""
    return [figure_of(row.as_dict(), command) for row in rows]


def _summary(outputs: Sequence[str], film: bool) -> str:
    if film:
        return "Intensive care during the illness, from laboratory values and a chest film."
    return f"{HOURLY}, and phenotypes." if len(outputs) > 1 else f"{HOURLY}."


def _note(subset: Subset, *, film: bool) -> str:
    sites = len({case.site for case in subset.cases if case.site})
    what = "films" if film else "stays"
    return f"{len(subset.cases):,} {what}" + (f", {counted(sites, 'site')}" if sites else "")


def _limits(model: IcuModel, patients: Sequence[str], figures: Sequence[Figure]) -> tuple[str, ...]:
    limits = [
        f"Trained on {len(patients):,} patients.",
        "The interval is the spread of the networks and of dropout, not that of patients.",
        *(line for clear, line in _against_words(figures) if not clear),
    ]
    if not figures:
        limits.append(UNMEASURED)
    if model.uses_film:
        limits += [DETECTED, *_worth_using(figures)]
    else:
        limits.append(
            "The film branch is not trained: no open set holds films of these stays. A film is not "
            "used; attention and Shapley values are not available."
        )
    if "phenotypes" in model.parts:
        limits.append(
            "Phenotypes are learnt from codes of the whole stay and from cuff pressures and the "
            "APACHE values of the first day: a retrospective coding task, no forecast."
        )
    return (*limits, *_weak(figures))


def _method(model: IcuModel, recipe: IcuRecipe, figures: Sequence[Figure]) -> tuple[str, ...]:
    said = [
        f"Networks of {recipe.hidden} units where the paper has 256, because the open sets are "
        "small.",
        *_networks(model),
    ]
    if figures:
        said += [
            "Figures are of networks that never saw the stay; these weights are a refit on all.",
            "A handful of settings were compared on the same folds before one was kept, so the "
            "figures may be a little high.",
        ]
    said += [line for clear, line in _against_words(figures) if clear]
    said += _calibration_words(figures)
    if model.uses_film:
        said += [
            "The film branch is a frozen EfficientNet-Lite0 with a trained projection, not the "
            "paper's ResNet-34: 61 patients are too few to train one.",
            *_exchanged_words(figures),
        ]
    if "phenotypes" in model.parts:
        said.append("Codes of phenotypes are grouped by a compact mapping of our own.")
    return tuple(said)


def _against_words(figures: Sequence[Figure]) -> list[tuple[bool, str]]:
    """How each risk stands to classical models on the same left-out stays.

    Each sentence with whether the networks are ahead by more than chance.
    """
    found = _by_place(figures)
    sentences = []
    for (predictor, name, group, on), plain in found.items():
        ahead = found.get(("model", "roc_auc_difference", f"all, against:{predictor}", on))
        if (name, group) != ("roc_auc", "all") or ahead is None or ahead.value is None:
            continue
        if predictor in (FIXED, NETWORK):  # told apart, by ``icu_site_card``
            continue
        clear = (ahead.low or 0) > 0
        less = ahead.high is not None and ahead.high < 0
        words = (
            f"On {on} {predictor.replace('_', ' ')} reaches AUROC {plain.value:.3f}; the networks "
            f"are {lead(ahead.value, ahead.low, ahead.high)}"
        )
        end = "." if clear or less else ": not more than chance allows."
        sentences.append((clear, f"{words}{end}"))
    return sentences


def _calibration_words(figures: Sequence[Figure]) -> list[str]:
    """The calibration error of each risk, before and after its temperature."""
    found = _by_place(figures)
    return [
        f"Calibration error on {on}: {before.value:.3f} as the networks say it, "
        f"{found['model', 'ece', group, on].value:.3f} under a temperature chosen on other stays."
        for (predictor, name, group, on), before in found.items()
        if (predictor, name) == ("uncalibrated", "ece") and ("model", "ece", group, on) in found
    ]


def _by_place(figures: Sequence[Figure]) -> dict[tuple[str, str, str, str], Figure]:
    return {(f.predictor, f.name, f.group, f.on): f for f in figures if f.value is not None}


def _networks(model: IcuModel) -> list[str]:
    """How the networks differ from the paper's."""
    each = [one for part in model.parts.values() for one in part.networks]
    hourly = sum(one.encoder == "hourly" for one in each)
    words = f"{len(each) - hourly} of {len(each)} networks have the paper's two LSTM layers"
    if hourly:
        words += (
            f"; {hourly} see one hour at a time, with the lowest, highest and mean values so far"
        )
    if model.variables.name == "benchmark":
        return [f"{words}."]
    return [
        f"{words}.",
        f"The columns are those of the map {model.variables.name} ({model.variables.columns}), "
        "not the paper's 76.",
    ]


def _first_films(figures: Sequence[Figure]) -> dict[str, Figure]:
    """Who reaches which AUROC on the first film of each patient; nothing without the model."""
    found = {
        f.predictor: f
        for f in figures
        if f.name == "roc_auc" and f.group == "film:first" and f.value is not None
    }
    return found if "model" in found else {}


def _auroc(found: Mapping[str, Figure], name: str) -> float:
    value = found[name].value if name in found else None
    return float("nan") if value is None else value


def _worth_using(figures: Sequence[Figure]) -> list[str]:
    """What film and series alone are worth, in sentences."""
    found = _first_films(figures)
    if not found:
        return []
    sentences = [
        "On the first film of each patient laboratory values alone give AUROC "
        f"{_auroc(found, 'series_only'):.2f}, the film alone {_auroc(found, 'film_only'):.2f}, the "
        f"number of films without any model {_auroc(found, 'film_count'):.2f}.",
    ]
    if _auroc(found, "model") - _auroc(found, "film_only") < 0.02:
        sentences.append("The laboratory values add nothing measurable to the film.")
    return sentences


def _exchanged_words(figures: Sequence[Figure]) -> list[str]:
    """Whether the answer hangs on the patient's own film."""
    found = _first_films(figures)
    if not found:
        return []
    both, other = _auroc(found, "model"), _auroc(found, "shuffled_films")
    verdict = "falls" if other < both else "does not fall: the film adds nothing"
    return [
        f"First film of each of {found['model'].n} patients: AUROC {both:.2f}; with films "
        f"exchanged between patients it {verdict} ({other:.2f})."
    ]


def _weak(figures: Sequence[Figure]) -> list[str]:
    low = sorted(
        {
            str(f.extra.get("task"))
            for f in figures
            if (f.name, f.group, f.predictor) == ("roc_auc", "all", "model")
            and f.value is not None
            and f.value < 0.65
        }
    )
    mark = "phenotype_"
    numbers = [name.removeprefix(mark) for name in low if name.startswith(mark)]
    named = [name for name in low if not name.startswith(mark)]
    if numbers:
        named.append(f"phenotypes {', '.join(numbers)}")
    return [f"Weak (AUROC below 0.65): {', '.join(named)}."] if low else []
