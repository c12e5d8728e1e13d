"""Templates of reports: which sections, in which order, for which results."""

from __future__ import annotations

import json
from dataclasses import dataclass

from medview.domain.errors import UsageError
from medview.domain.resources import resource


@dataclass(frozen=True, slots=True)
class Template:
    """What a report is called and which sections it has, in order.

    It is for results of some of `models` ("*": of any) that together have an input of each of
    `roles`. `findings` is what a reader goes through, a line each, to begin with.
    """

    name: str
    title: str
    models: tuple[str, ...]
    sections: tuple[str, ...]
    roles: tuple[str, ...] = ()
    findings: str = ""

    def fits(self, models: tuple[str, ...], roles: tuple[str, ...]) -> bool:
        """Whether it is made for these results."""
        known = "*" in self.models or set(models) <= set(self.models)
        return bool(models) and known and set(self.roles) <= set(roles)


def templates() -> tuple[Template, ...]:
    """The templates that ship, from ``resources/report/templates.json``."""
    body = json.loads(resource("report", "templates.json").read_text("utf-8"))
    return tuple(
        Template(
            name,
            each["title"],
            tuple(each["models"]),
            tuple(each["sections"]),
            tuple(each.get("roles", ())),
            "\n".join(each.get("findings", ())),
        )
        for name, each in body.items()
    )


def template_for(
    name: str | None, models: tuple[str, ...], roles: tuple[str, ...] = ()
) -> Template:
    """The template of that name, or the first that fits the models and inputs of the results.

    Raises
    ------
    UsageError
        If there is no template of that name.
    """
    known = templates()
    if name is None:
        return next((each for each in known if each.fits(models, roles)), known[-1])
    for each in known:
        if each.name == name:
            return each
    names = ", ".join(each.name for each in known)
    raise UsageError(f"there is no report template {name!r}", do=f"Choose one of: {names}.")
