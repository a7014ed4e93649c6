"""Whether the candidate is another model than the baseline, by the content of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.sources import changed_files
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pytest_robustbench.reports.file.stored import StoredReport

    Plain = Mapping[str, Any]

KINDS = {"code": "code", "files": "model file"}


def model_notes(baseline: StoredReport, candidate: StoredReport) -> Iterator[str]:
    """Say whether code and model file are the baseline's, where reports tell of any.

    Parameters
    ----------
    baseline, candidate : StoredReport
        Two runs.
    """
    sides = baseline.plain, candidate.plain
    told = list(_told(*(side["sources"] for side in sides)))
    if not told:
        return
    if any(changed for _, changed in told):
        yield f"the candidate's model: {'; '.join(text for text, _ in told)}"
        return
    names = [listed(sorted(s[kind])) for s in [sides[1]["sources"]] for kind in KINDS if s[kind]]
    where = f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} the baseline's"
    if _declared(sides[0]) != _declared(sides[1]):
        yield f"the candidate's model: {where}, byte for byte; its settings have changed"
    elif not is_same_model(baseline, candidate):
        yield f"the same code: {where}, byte for byte, with the same settings; {_not_known(sides)}"
    elif sides[1]["detector"].get("fitted"):
        yield f"THE SAME MODEL: {where}, byte for byte: no new model was judged"
    else:
        yield (
            f"the same code: {where}, byte for byte, with the same settings; it was fitted anew, "
            "and is the same model again"
        )


def _not_known(sides: Sequence[Plain]) -> str:
    """Say what keeps two models with the same files from being known as one."""
    first, second = (side["sha256"]["fitted"] for side in sides)
    if first is not None and second is not None and first != second:
        return "what the fitted model holds is another content, so that it is another model"
    return "whether it is the same model cannot be told, so that it is judged as another"


def is_same_model(baseline: StoredReport, candidate: StoredReport) -> bool:
    """Return whether both runs are known to have measured one and the same model.

    The same settings, code and packages, and the same content in memory once it was fitted, make
    the same model. Where the content cannot be told, as behind the session of a runtime, the files
    that it is made of have to be all there is: no code but ours reads them.

    Parameters
    ----------
    baseline, candidate : StoredReport
        Two runs.
    """
    if baseline.digest == candidate.digest:
        return True
    sides = baseline.plain, candidate.plain
    differs = [changed for _, changed in _told(*(side["sources"] for side in sides))]
    made_by = [(_declared(side), *_packages(side["environment"])) for side in sides]
    if any(differs) or made_by[0] != made_by[1] or None in made_by[0]:
        return False
    first, second = (side["sha256"]["fitted"] for side in sides)
    if first is None and second is None:
        sources = sides[1]["sources"]
        return bool(sources["files"]) and not sources["code"]
    return bool(first == second)


def _packages(environment: Plain) -> tuple[object, ...]:
    return tuple(environment[key] for key in ("pytest_robustbench", "python", "installed"))


def _told(first: Plain, second: Plain) -> Iterator[tuple[str, bool]]:
    """Yield what is to be said of code and files, and whether they have changed."""
    for kind, called in KINDS.items():
        before, after = first[kind], second[kind]
        changed = changed_files(before, after)
        if changed:
            yield f"{called} changed ({listed(changed)})", True
        elif after:
            yield f"{called} as in the baseline ({listed(sorted(after))})", False


def _declared(report: Plain) -> tuple[object, ...]:
    return report["sha256"]["model"], report["config"].get("detector")
