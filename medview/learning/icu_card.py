"""What is said of a version of the ICU model: made where it is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from medview.domain.card import Figure, InputSpec, ModelCard, OutputSpec, TrainedOn
from medview.learning.anomaly_card import figure_of, licence_of
from medview.learning.icu_model import IcuModel
from medview.learning.icu_recipe import IcuRecipe
from medview.learning.metrics import MetricRow
from medview.learning.subset import Subset
from medview.learning.weights import patient_hash

PUBLISHED = (
    Figure("roc_auc", 0.865, "MIMIC-IV with films, death in hospital, MedFuse (another data set)"),
    Figure("pr_auc", 0.594, "MIMIC-IV with films, death in hospital, MedFuse (another data set)"),
)
SOURCE = "Rasekh et al., Robust Fusion of Time Series and Image Data, arXiv 2405.15442"
SAMPLES = 8
"""Passes with dropout whose spread is the interval of a risk."""
_FILM_MODALITIES = ("CR", "DX", "RG")
FILM_VERSION = "1.0-hannover"


def make_card(
    model: IcuModel,
    recipe: IcuRecipe,
    subsets: Sequence[Subset],
    patients: Sequence[str],
    rows: Mapping[str, Sequence[MetricRow]],
    command: str,
) -> ModelCard:
    """The card of freshly trained weights; its hash is filled in when they are saved."""
    figures = tuple(f for some in rows.values() for f in figure_rows(some, command))
    film = model.uses_film
    series = InputSpec("series", "time series of a stay (CSV: Hours + variables)", not film, ())
    films = (InputSpec("film", "frontal chest film", False, _FILM_MODALITIES),) if film else ()
    outputs = [name for part in model.parts.values() for name in part.outputs]
    return ModelCard(
        id="icu",
        version=FILM_VERSION if film else "1.0",
        title="ICU series and film" if film else "ICU series",
        summary=_summary(outputs, film),
        inputs=(series, *films),
        outputs=(
            *(OutputSpec(name, "score") for name in outputs),
            *((OutputSpec("evidence", "map"),) if film else ()),
        ),
        preparation=(
            f"map of variables {model.variables.name}: {model.variables.columns} numbers a bin of "
            f"{model.variables.bin_hours:g} h",
            "last value of a bin, carried forward; never measured: imputed",
            "foreign units turned, impossible values left out, the others clipped",
        ),
        intended_use="Research on records of adults. Not for diagnosis, triage or treatment.",
        limits=_limits(model, recipe, patients, figures),
        licence=licence_of(subsets),
        source=SOURCE,
        trained_on=tuple(
            TrainedOn(s.name, s.n_patients, s.licence, _note(s)) for s in subsets if s.cases
        ),
        measured=figures,
        published=() if film else PUBLISHED,
        settings={**model.to_card(), "samples": SAMPLES, "recipe": asdict(recipe)},
        seen_patients=tuple(sorted(patient_hash(patient) for patient in patients)),
    )


def figure_rows(rows: Sequence[MetricRow], command: str) -> list[Figure]:
    """Metric rows as figures of a card."""
    return [figure_of(row.as_dict(), command) for row in rows]


def _summary(outputs: Sequence[str], film: bool) -> str:
    if film:
        return "Intensive care during the illness, from laboratory values and a chest film."
    said = "Risk of death in hospital, hour by hour"
    return f"{said}, and phenotypes." if len(outputs) > 1 else f"{said}."


def _note(subset: Subset) -> str:
    sites = len({case.site for case in subset.cases if case.site})
    return f"{len(subset.cases)} stays or films" + (f", {sites} sites" if sites else "")


def _limits(
    model: IcuModel, recipe: IcuRecipe, patients: Sequence[str], figures: Sequence[Figure]
) -> tuple[str, ...]:
    limits = [
        f"Trained on {len(patients)} patients; networks of {recipe.hidden} units where the paper "
        "has 256, because the open sets are small.",
        "The interval is the spread of the networks and of dropout, not that of patients.",
    ]
    limits.append(_networks(model))
    if figures:
        limits.append(
            "Figures are of networks that never saw the stay; these weights are a refit on all. A "
            "handful of settings were compared on the same folds before one was kept, so the "
            "figures may be a little high."
        )
    else:
        limits.append("These weights have not been measured on patients they never saw.")
    limits += _against_limits(figures)
    if model.uses_film:
        limits += _film_limits(figures)
    else:
        limits.append(
            "The film branch is not trained: no open set holds films of these stays. A film is not "
            "used; attention and Shapley values are not available."
        )
    if "phenotypes" in model.parts:
        limits.append(
            "Phenotypes are learnt from codes of the whole stay and from cuff pressures and the "
            "APACHE values of the first day: a retrospective coding task, no forecast. The codes "
            "are grouped by a compact mapping of our own."
        )
    return (*limits, *_weak(figures))


def _against_limits(figures: Sequence[Figure]) -> list[str]:
    """How each risk stands to classical models on the same left-out stays, and its calibration."""
    found = {(f.predictor, f.name, f.group, f.on): f for f in figures if f.value is not None}
    sentences = []
    for (predictor, name, group, on), plain in found.items():
        ahead = found.get(("model", "roc_auc_difference", f"all, against:{predictor}", on))
        if (name, group) != ("roc_auc", "all") or ahead is None or ahead.value is None:
            continue
        bounds = f" [{ahead.low or 0:+.3f}, {ahead.high or 0:+.3f}]"
        sentences.append(
            f"On {on} {predictor.replace('_', ' ')} reaches AUROC {plain.value:.3f}; the networks "
            f"are ahead by {ahead.value:+.3f}{bounds}"
            + ("." if (ahead.low or 0) > 0 else ": not more than chance allows.")
        )
    for (predictor, name, group, on), before in found.items():
        after = found.get(("model", "ece", group, on))
        if (predictor, name) == ("uncalibrated", "ece") and after is not None:
            sentences.append(
                f"Calibration error on {on}: {before.value:.3f} as the networks say it, "
                f"{after.value:.3f} under a temperature chosen on other stays."
            )
    return sentences


def _networks(model: IcuModel) -> str:
    """How the networks differ from the paper's."""
    each = [one for part in model.parts.values() for one in part.networks]
    hourly = sum(one.encoder == "hourly" for one in each)
    words = f"{len(each) - hourly} of {len(each)} networks have the paper's two LSTM layers"
    if hourly:
        words += (
            f"; {hourly} see one hour at a time, with the lowest, highest and mean values so far"
        )
    return (
        f"{words}. The columns are those of the map {model.variables.name} "
        f"({model.variables.columns}), not the paper's 76."
        if model.variables.name != "benchmark"
        else f"{words}."
    )


def _film_limits(figures: Sequence[Figure]) -> list[str]:
    limits = [
        "The film branch is a frozen EfficientNet-Lite0 with a trained projection, not the paper's "
        "ResNet-34: 61 patients are too few to train one.",
        "Most severe films show a patient who is already in intensive care (bedside film, tubes, "
        "lines): the figure is of detecting that, not of a forecast. The number of films alone "
        "tells much of it.",
    ]
    found = {
        f.predictor: f
        for f in figures
        if f.name == "roc_auc" and f.group == "film:first" and f.value is not None
    }
    if "model" in found:
        limits += _worth(found)
    return limits


def _worth(found: Mapping[str, Figure]) -> list[str]:
    """What film and series are worth on the first film of each patient, in sentences."""

    def auroc(name: str) -> float:
        value = found[name].value if name in found else None
        return float("nan") if value is None else value

    both, n = auroc("model"), found["model"].n
    falls = auroc("shuffled_films") < both
    verdict = "falls" if falls else "does not fall: the film adds nothing"
    sentences = [
        f"First film of each of {n} patients: AUROC {both:.2f}; with films exchanged between "
        f"patients it {verdict} ({auroc('shuffled_films'):.2f}).",
        f"Laboratory values alone give {auroc('series_only'):.2f}, the film alone "
        f"{auroc('film_only'):.2f}, the number of films without any model "
        f"{auroc('film_count'):.2f}.",
    ]
    if both - auroc("film_only") < 0.02:
        sentences.append("The laboratory values add nothing measurable to the film.")
    return sentences


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
    return [f"Weak (AUROC below 0.65): {', '.join(low)}."] if low else []
