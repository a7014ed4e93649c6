"""Where a report comes from: enough to measure it again, and to know it again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.reports.pages.source import Plain

DIGESTS = {"config": "configuration", "dataset": "test images", "model": "detector"}


def provenance(plain: Plain) -> Iterator[tuple[str, str]]:
    """Yield names and values of everything that identifies a run."""
    environment = plain["environment"]
    yield "measured", str(plain["started"])
    yield "command", str(plain["command"])
    yield "profile", str(plain["profile"] or "none")
    yield "data", f"{plain['dataset']}, {plain['category']}{_images(plain)}"
    yield "detector", str(plain["model"])
    for name, what in DIGESTS.items():
        yield f"SHA-256, {what}", str(plain["sha256"][name] or "not known")
    yield "git commit", str(environment.get("git_commit") or "none")
    packages = [f"{name} {version}" for name, version in environment["packages"].items()]
    yield (
        "versions",
        ", ".join(
            [
                f"pytest-robustbench {environment['pytest_robustbench']}",
                f"Python {environment['python']}",
                *packages,
            ]
        ),
    )
    cores = environment.get("cpu_count")
    machine = [environment["platform"], environment["cpu"], *([f"{cores} cores"] if cores else [])]
    yield "machine", ", ".join(map(str, [*machine, f"device {environment['device']}"]))
    yield from _accepted(plain)


def _images(plain: Plain) -> str:
    samples = plain["samples"]
    if samples is None:
        return ""
    defects = sum(samples["label"])
    return f"; {len(samples['id'])} test images, {defects} of them with defects"


def _accepted(plain: Plain) -> Iterator[tuple[str, str]]:
    accepted = plain.get("accepted")
    if accepted:
        yield "accepted as baseline", f"{accepted['date']}: {accepted['reason']}"


def as_yaml(plain: Plain) -> str:
    """Return plain data as YAML, for people to read."""
    # `default_flow_style=None`: short lists and mappings on one line.
    return yaml.safe_dump(
        dict(plain), sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
