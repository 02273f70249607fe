"""Which wheels one Python on one system needs, and whether a folder holds them all.

`pip download` reads the conditions of requirements ("only on Windows") as for the system it
runs on, not for the one it downloads for. So what it brought is gone through here with the
conditions of the target, and what is missing is asked for by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

from packaging.markers import default_environment
from packaging.tags import Tag, compatible_tags, cpython_tags, sys_tags
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from packaging.requirements import Requirement

    from xl_theodoi.addin.wheels import Wheel

WINDOWS = "win_amd64"


@dataclass(frozen=True, slots=True)
class Target:
    """A Python on a system.

    Attributes:
        python: Its version, as (3, 12).
        platform: Its tag as in names of wheels; None for the machine that runs this.
        tags: What it can install, best first.
        markers: What the conditions of requirements are compared with.
    """

    python: tuple[int, int]
    platform: str | None
    tags: Sequence[Tag]
    markers: Mapping[str, str]

    @property
    def name(self) -> str:
        """How wheels call this Python, as `cp312`."""
        return "cp{}{}".format(*self.python)

    @property
    def version(self) -> str:
        """The version as people write it."""
        return "{}.{}".format(*self.python)

    @classmethod
    def of_windows(cls, python: tuple[int, int]) -> Self:
        """Return a CPython on 64-bit Windows."""
        version = "{}.{}".format(*python)
        markers = {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "nt",
            "platform_machine": "AMD64",
            "platform_python_implementation": "CPython",
            "platform_release": "10",
            "platform_system": "Windows",
            "platform_version": "10.0.19045",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "win32",
        }
        tags = [
            *cpython_tags(python, platforms=[WINDOWS]),
            *compatible_tags(python, f"cp{python[0]}{python[1]}", platforms=[WINDOWS]),
        ]
        return cls(python, WINDOWS, tags, markers)

    @classmethod
    def of_this_machine(cls) -> Self:
        """Return the Python that runs this."""
        markers = cast("dict[str, str]", dict(default_environment()))
        major, minor = markers["python_version"].split(".")
        return cls((int(major), int(minor)), None, list(sys_tags()), markers)


@dataclass(frozen=True, slots=True)
class Closure:
    """What a root requirement brings.

    Attributes:
        wheels: The wheels needed, by name.
        missing: Requirements that no wheel of the folder meets.
    """

    wheels: Sequence[Wheel]
    missing: Sequence[str]


def closure(roots: Iterable[Requirement], wheels: Sequence[Wheel], target: Target) -> Closure:
    """Return the wheels that requirements need on a target, and what is missing.

    Args:
        roots: Requirements to start from; their conditions are judged too.
        wheels: The wheels at hand.
        target: For whom.
    """
    usable = frozenset(target.tags)
    by_name: dict[str, list[Wheel]] = {}
    for wheel in wheels:
        if wheel.tags & usable:
            by_name.setdefault(wheel.name, []).append(wheel)
    found: dict[str, Wheel] = {}
    missing: dict[str, None] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting: list[tuple[Requirement, frozenset[str]]] = [(root, frozenset()) for root in roots]
    while waiting:
        requirement, extras = waiting.pop()
        if not _applies(requirement, extras, target):
            continue
        name = canonicalize_name(requirement.name)
        fitting = [
            wheel
            for wheel in by_name.get(name, ())
            if requirement.specifier.contains(wheel.version, prereleases=True)
        ]
        if not fitting:
            missing[_plain(requirement)] = None
            continue
        wheel = max(fitting, key=lambda item: item.version)
        found[name] = wheel
        asked = frozenset(requirement.extras)
        if (name, asked) not in seen:
            seen.add((name, asked))
            waiting += [(item, asked) for item in wheel.requires]
    return Closure([found[name] for name in sorted(found)], list(missing))


def _applies(requirement: Requirement, extras: frozenset[str], target: Target) -> bool:
    """Whether a requirement's condition holds on a target, with some extras asked for."""
    if requirement.marker is None:
        return True
    return any(
        requirement.marker.evaluate({**target.markers, "extra": extra}) for extra in extras or {""}
    )


def _plain(requirement: Requirement) -> str:
    """Return a requirement without its condition, which has been judged."""
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return f"{requirement.name}{extras}{requirement.specifier}"
