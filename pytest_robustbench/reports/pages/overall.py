"""What a whole report comes to, in one word and one sentence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.gates.soundness import wrong_decisions
from pytest_robustbench.gates.wording import describe, on_showing
from pytest_robustbench.reports.pages.margins import worst_first

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.reports.pages.source import Source

Word = Literal["PASS", "FAIL", "INCOMPLETE", "NOT JUDGED"]
NOT_COMPARED = "the declared comparison with a baseline was not made"


@dataclass(frozen=True)
class Overall:
    """The verdict on a benchmark.

    Parameters
    ----------
    word : {"PASS", "FAIL", "INCOMPLETE", "NOT JUDGED"}
        Nothing but ``PASS`` lets a model ship.
    reasons : tuple of str
        Why it is no pass, worst first.
    remarks : tuple of str
        What else there is to say.
    caution : bool
        Whether a reader has to look closer even at a pass: a limit is waived or not shown, or a
        comparison was not decided.
    """

    word: Word
    reasons: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    caution: bool = False

    @property
    def sentence(self) -> str:
        """All of it as one sentence."""
        text = "; ".join((*self.reasons, *self.remarks))
        return f"{text[:1].upper()}{text[1:]}."


def overall(source: Source) -> Overall:
    """Judge a report as a whole: its limits, its completeness, and its comparisons."""
    failures = [*_violations(source), *_unmeasured(source), *_regressions(source)]
    failures += source.problems
    gaps = list(_gaps(source))
    if failures:
        return Overall("FAIL", (*failures, *gaps), tuple(_wrong_decisions(source)))
    if gaps:
        return Overall("INCOMPLETE", tuple(gaps), (*_held(source), *_wrong_decisions(source)))
    if not source.verdicts and not source.compared:
        return Overall("NOT JUDGED", ("no limit is declared: everything is only measured",))
    found = (*_held(source), *_comparisons(source), *_wrong_decisions(source))
    if not _anything_held(source):
        return Overall("NOT JUDGED", found)
    return Overall("PASS", (), found, _needs_a_look(source))


def _anything_held(source: Source) -> bool:
    """Return whether a limit holds, or a comparison was decided: without any nothing is shown."""
    if source.verdicts:  # what the limits ask is not answered by a comparison
        return any(verdict.outcome == "pass" for verdict in source.verdicts)
    return any(compared["outcome"] == "pass" for compared in source.compared)


def _needs_a_look(source: Source) -> bool:
    waived = any(verdict.waived or verdict.open for verdict in source.verdicts)
    return waived or any(compared["outcome"] != "pass" for compared in source.compared)


def tolerates_inconclusive(source: Source) -> bool:
    """Return whether a comparison that the images cannot decide may pass."""
    declared = source.plain["config"].get("regression")
    return isinstance(declared, dict) and declared.get("inconclusive") != "fail"


def _violations(source: Source) -> Iterator[str]:
    limits = _counted(len(source.verdicts), "limit")
    violated = [v for v in source.verdicts if v.violated]
    failed = worst_first(v for v in violated if v.outcome == "fail")
    unshown = worst_first(v for v in violated if v.outcome == "not shown")
    open_ones = worst_first(v for v in violated if v.outcome == "error")
    if failed:
        verb = "is" if len(failed) == 1 else "are"
        yield f"{len(failed)} of {limits} {verb} violated; worst: {describe(failed[0])}"
    if unshown:
        what = "holds and is" if len(unshown) == 1 else "hold and are"
        yield f"{len(unshown)} of {limits} {what} not shown; worst: {describe(unshown[0])}"
    if open_ones:
        yield f"{len(open_ones)} of {limits} cannot be judged; first: {describe(open_ones[0])}"


def _wrong_decisions(source: Source) -> Iterator[str]:
    measured = {condition: source.metrics[condition] for condition in source.measured}
    return wrong_decisions(source.verdicts, measured)


def _unmeasured(source: Source) -> Iterator[str]:
    if source.plain.get("trouble"):
        yield source.plain["trouble"]
    if source.errors:
        yield f"{_counted(len(source.errors), 'condition')} could not be measured"


def _regressions(source: Source) -> Iterator[str]:
    bad = {"regressed": "worse than allowed against", "error": "not comparable with"}
    if not tolerates_inconclusive(source):
        bad["inconclusive"] = "not decided against"
    for compared in source.compared:
        if compared["outcome"] in bad:
            yield f"{bad[compared['outcome']]} the {compared['role']} {compared['baseline']}"


def _gaps(source: Source) -> Iterator[str]:
    plain, absent = source.plain, source.absent
    if absent:
        total = _counted(len(absent) + len(source.everything), "declared condition")
        yield f"{len(absent)} of {total} {'was' if len(absent) == 1 else 'were'} not measured"
    if plain["narrowed"]:
        yield f"the run was narrowed by {', '.join(plain['narrowed'])}"
    known = absent or plain["narrowed"] or plain.get("trouble") or source.errors
    if not (plain["complete"] or known):
        yield "the report says itself that it is not complete"
    if plain["config"].get("regression") and not source.compared:
        yield NOT_COMPARED


def _held(source: Source) -> Iterator[str]:
    held = sum(verdict.holds for verdict in source.verdicts)
    if source.verdicts:
        limits = _counted(len(source.verdicts), "limit")
        yield f"{held} of {limits} hold on {_judged_conditions(source)}"
        yield from on_showing(source.verdicts)
    waived = Counter(verdict.holds for verdict in source.verdicts if verdict.waived)
    for holds, n in waived.items():
        yield f"{n} {'not shown' if holds else 'violated'}, and waived for now"


def _judged_conditions(source: Source) -> str:
    """Return how many conditions limits speak of, and of how many that were measured."""
    everything = _counted(len(source.records), "condition")
    named = {verdict.condition for verdict in source.verdicts}
    along = len(named & source.tolerances.keys())
    more = f" and along {_counted(along, 'corruption')}" if along else ""
    judged = len(named & source.records.keys())
    if SUMMARY in named or judged == len(source.records):  # a summary sees all of them
        return f"{everything}{more}"
    return f"{judged} of {everything}{more}"


def _comparisons(source: Source) -> Iterator[str]:
    for compared in source.compared:
        what = f"the {compared['role']} {compared['baseline']}"
        verdicts = compared["verdicts"]
        if verdicts and all(verdict["identical"] for verdict in verdicts):
            yield f"every output equals that of {what}: no other model was judged"
        elif compared["outcome"] == "pass":
            yield f"no loss beyond what is allowed against {what}"
        else:
            yield f"against {what} the test images cannot tell"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
