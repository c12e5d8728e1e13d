"""Write the constraints: the installed version of everything that pyproject.toml leads to.

Usage, from the root of the repository, in an environment in which all tests pass:
``.venv/bin/python packaging/pin.py > packaging/constraints.txt``
"""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HEAD = """\
# Versions that were tested together; made by packaging/pin.py, used by setup.sh.
#
# torch: installed first and alone. 2.13.0 stands for any build of it (CPU or CUDA), whichever
#   pip finds first where it has been told to look; without this line a later package would
#   swap it for a newer build of several gigabytes.
# PySide6-Essentials: 6.12.0 drops one reference to True per emitted signal on Python 3.11,
#   until the interpreter dies ("bool_dealloc", exit code 134), at times only after all tests
#   have passed. 6.11.3 does not.
"""


def versions(wanted: list[Requirement]) -> dict[str, str]:
    """Collect the installed versions of all that is wanted and of what that needs in turn."""
    pins: dict[str, str] = {}
    seen: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        if str(requirement) in seen:
            continue
        seen.add(str(requirement))
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError as error:
            raise SystemExit(f"{name} is required and not installed") from error
        # Local parts such as "+cpu" name a build, not a version.
        pins[name] = found.version.partition("+")[0]
        inner = map(Requirement, found.requires or ())
        wanted.extend(r for r in inner if applies(r, requirement.extras))
    return pins


def applies(requirement: Requirement, extras: set[str]) -> bool:
    """Say whether a requirement counts on this system with these extras of its owner."""
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": e}) for e in extras or {""})


def main() -> None:
    """Print the constraints."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    texts = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    pins = versions([Requirement(text) for text in texts])
    print(HEAD)
    print("\n".join(f"{name}=={version}" for name, version in sorted(pins.items())))


if __name__ == "__main__":
    main()
