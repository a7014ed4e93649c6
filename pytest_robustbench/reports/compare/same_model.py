"""Whether the candidate is another model than the baseline, by the content of its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pytest_robustbench.detectors.sources import changed_files
from pytest_robustbench.naming import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    elif sides[1]["detector"].get("fitted"):
        yield f"THE SAME MODEL: {where}, byte for byte: no new model was judged"
    else:
        yield f"the same code: {where}, byte for byte, with the same settings; it was fitted anew"


def is_same_model(baseline: StoredReport, candidate: StoredReport) -> bool:
    """Return whether both runs are known to have measured one and the same model.

    The same code, files, settings and packages make the same model. Nothing is known of a fitted
    model that was handed over in memory, or of a detector that neither was declared nor describes
    itself.

    Parameters
    ----------
    baseline, candidate : StoredReport
        Two runs.
    """
    if baseline.digest == candidate.digest:
        return True
    sides = baseline.plain, candidate.plain
    differs = [changed for _, changed in _told(*(side["sources"] for side in sides))]
    detector = sides[1]["detector"]
    told_settings = _declared(sides[1])[1] is not None or set(detector) - {"name", "fitted"}
    known = told_settings and not (detector.get("fitted") and not sides[1]["sources"]["files"])
    made_by = [(_declared(side), side["environment"]["packages"]) for side in sides]
    return bool(known) and not any(differs) and made_by[0] == made_by[1]


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
