"""The 25 phenotypes of the benchmark from ICD-9 and ICD-10 codes; the mapping is data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import yaml

from medview.domain.resources import resource

N_PHENOTYPES = 25
PHENOTYPES = tuple(f"phenotype_{number:02d}" for number in range(1, N_PHENOTYPES + 1))
"""Names of their scores."""


@dataclass(frozen=True, slots=True)
class Phenotype:
    """One phenotype: its name, "acute", "chronic" or "mixed", and how its codes begin."""

    name: str
    kind: str
    icd9: tuple[str, ...]
    icd10: tuple[str, ...]

    def has(self, code: str) -> bool:
        """Whether a code without its dot belongs to it; the longest beginning that fits decides."""
        known = self.icd9 if is_icd9(code) else self.icd10
        fitting = [one for one in known if code.startswith(one.lstrip("-"))]
        return bool(fitting) and not max(fitting, key=lambda one: len(one.lstrip("-"))).startswith(
            "-"
        )


def is_icd9(code: str) -> bool:
    """ICD-9 codes are digits, or V or E and then digits only; ICD-10 codes begin with a letter.

    V and E codes of three digits exist in both; E stands for ICD-10 (endocrine), V for ICD-9.
    """
    return code[:1].isdigit() or code[:1] == "V"


@cache
def phenotypes() -> tuple[Phenotype, ...]:
    """All 25, in the order of their columns."""
    body = yaml.safe_load(resource("phenotypes.yaml").read_text("utf-8"))
    return tuple(
        Phenotype(
            entry["name"],
            entry["kind"],
            tuple(str(code) for code in entry["icd9"]),
            tuple(str(code) for code in entry["icd10"]),
        )
        for entry in body
    )


def phenotype_cells(codes: Iterable[str]) -> dict[str, str]:
    """Cells "phenotype_01" to "_25" ("1" or "0") of a stay with these codes; none without codes."""
    bare = {code.strip().upper().replace(".", "") for code in codes} - {""}
    if not bare:
        return {}
    return {
        name: str(int(any(one.has(code) for code in bare)))
        for name, one in zip(PHENOTYPES, phenotypes(), strict=True)
    }
