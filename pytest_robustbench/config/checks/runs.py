"""Which conditions a benchmark runs, and which of them are judged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pytest_robustbench.conditions import CLEAN, RECORDED, Condition
from pytest_robustbench.config.checks.complaints import dotted, misplaced_scope
from pytest_robustbench.config.checks.precedence import LimitTable
from pytest_robustbench.config.checks.tolerances import tolerances_of
from pytest_robustbench.config.models.limits import SCOPES, SETTINGS
from pytest_robustbench.config.yaml.environment import retyped
from pytest_robustbench.corruptions.catalogue import QUANTITIES, known_names
from pytest_robustbench.corruptions.names import RESERVED, fits_test_ids
from pytest_robustbench.corruptions.references import parse_reference
from pytest_robustbench.display import environment_values
from pytest_robustbench.errors import CorruptionError
from pytest_robustbench.gates.limits import SUMMARY
from pytest_robustbench.gates.soundness import ONE_SIDED, SEES_BOTH, objections, sides_seen
from pytest_robustbench.metrics.catalogue import known_metrics
from pytest_robustbench.naming import suggestion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pytest_robustbench.config.checks.scope import Scope
    from pytest_robustbench.config.declarations import CorruptionReference
    from pytest_robustbench.config.models.file import Benchmark
    from pytest_robustbench.config.models.limits import Accept
    from pytest_robustbench.corruptions.references import Reference
    from pytest_robustbench.gates.limits import Limit
    from pytest_robustbench.gates.soundness import OneSided
    from pytest_robustbench.metrics.metric import SideName

_TAKEN = {*SCOPES, *SETTINGS, *RESERVED, "complete", "regression"}


@dataclass(frozen=True)
class Plan:
    """What runs, and what is judged of it; the fields are those of `BenchmarkDeclaration`."""

    corruptions: Mapping[str, CorruptionReference]
    conditions: tuple[Condition, ...]
    unjudged: frozenset[str]
    limits: Mapping[str, tuple[Limit, ...]]
    summary: tuple[Limit, ...]
    one_sided: Mapping[str, OneSided]
    tolerances: Mapping[str, Mapping[SideName, float]]


def plan_of(model: Benchmark, here: Scope) -> Plan | None:
    """Return what a benchmark runs and judges; None where a corruption's name is wrong.

    What is judged cannot be checked then without complaining of the same mistake again.
    """
    before = len(here.problems)
    corruptions = corruptions_of(model, here)
    if len(here.problems) > before:
        return None
    tolerances = tolerances_of(model, corruptions, here)
    conditions = (
        *conditions_of(corruptions, model.severities, model.recorded),
        *tolerances.conditions,
    )
    unjudged = measured_only(model, conditions, here)
    check_scopes(model.accept, conditions, here)
    check_recorded_scopes(model, here)
    check_pixel_segf1(model, here)
    limits, summary = limits_of(model, conditions, unjudged, here)
    limits |= {c: found for c, found in tolerances.limits.items() if c not in unjudged}
    one_sided = one_sided_of(model, conditions, here)
    check_soundness(limits, summary, one_sided, here)
    breaks = tolerances.breaks
    return Plan(corruptions, conditions, unjudged, limits, summary, one_sided, breaks)


def corruptions_of(model: Benchmark, here: Scope) -> dict[str, CorruptionReference]:
    """Return the corruptions in declared order: name in condition ids -> reference."""
    if model.corruptions == "none":
        return {}
    found: dict[str, CorruptionReference] = {}
    known = known_names()
    for index, entry in enumerate(model.corruptions):
        reference = cast("CorruptionReference", entry if isinstance(entry, str) else retyped(entry))
        problem = _reference_problem(reference, found, known)
        if problem:
            here.complain(problem, "corruptions", index)
        else:
            name = parse_reference(reference).name
            environment_values().reveal(name)
            found[name] = reference
    return found


def _reference_problem(
    reference: CorruptionReference, found: Mapping[str, CorruptionReference], known: Iterable[str]
) -> str:
    if reference == CLEAN.corruption:
        return "'clean' is no corruption; it is always run, so leave it out of corruptions"
    try:
        parsed = parse_reference(reference)
    except CorruptionError as error:
        return str(error)
    problem = _target_problem(parsed, known)
    if problem:
        return problem
    name = parsed.name
    if name in _TAKEN or not fits_test_ids(name):
        return (
            f"corruption {reference!r} would be called {name!r} in test ids; call it something "
            "else, in letters, digits and underscores"
        )
    if name in found:
        return f"corruptions {found[name]!r} and {reference!r} would both be called {name!r}"
    return ""


def _target_problem(parsed: Reference, known: Iterable[str]) -> str:
    if _sets_response(parsed):
        return "'response' is a property of the data: write it under dataset"
    for target in parsed.targets():
        if ":" not in target and target not in known:
            return f"unknown corruption {target!r} in corruptions; {suggestion(target, known)}"
    return ""


def _sets_response(reference: Reference) -> bool:
    """Return whether a built-in corruption is told what the camera makes of light."""
    if reference.parts:
        return any(map(_sets_response, reference.parts))
    return reference.target in QUANTITIES and "response" in reference.parameters


def conditions_of(
    corruptions: Mapping[str, CorruptionReference],
    severities: Iterable[float],
    recorded: Iterable[str] = (),
) -> tuple[Condition, ...]:
    """Return clean, every corruption in order at ascending severities, and the recorded sets.

    A corruption that is given by value is one condition.
    """
    levels = sorted(severities)
    by_value = {name: parse_reference(found).by_value for name, found in corruptions.items()}
    return (
        CLEAN,
        *(
            Condition(name, level)
            for name in corruptions
            for level in ([None] if by_value[name] else levels)
        ),
        *(Condition(RECORDED, recorded=name) for name in recorded),
    )


def measured_only(
    model: Benchmark, conditions: tuple[Condition, ...], here: Scope
) -> frozenset[str]:
    """Return the ids of the conditions that `measure_only` names."""
    chosen: set[str] = set()
    for index, name in enumerate(model.measure_only):
        ids = {c.id for c in conditions if name in (c.id, c.corruption)}
        chosen |= ids
        if not ids and here.insists_on("measure_only"):
            here.complain(_unknown_condition(name, conditions), "measure_only", index)
        elif here.writes("measure_only") and here.writes("accept", *name.split("-")):
            scope = dotted(("accept", *name.split("-")))
            message = f"measure_only names {name!r}, but {scope} declares limits; drop one of them"
            here.complain(message, "measure_only", index)
    return frozenset(chosen)


def _unknown_condition(name: str, conditions: tuple[Condition, ...]) -> str:
    valid = list(dict.fromkeys(c.corruption for c in conditions))
    if name in known_names():
        return f"measure_only names {name!r}, which is not run; run: {', '.join(valid)}"
    pool = [*valid, *(c.id for c in conditions)] if "-" in name else valid
    return f"unknown condition {name!r} in measure_only; {suggestion(name, pool)}"


def check_scopes(accept: Accept, conditions: tuple[Condition, ...], here: Scope) -> None:
    """Complain of every scope under `accept` that no condition falls into."""
    run = dict.fromkeys(c.corruption for c in conditions if c.is_corrupted)
    severities = {name: {c.severity for c in conditions if c.corruption == name} for name in run}
    for scope, limits in (accept.model_extra or {}).items():
        if not here.insists_on("accept", scope):
            continue
        if scope not in run:
            here.complain_of_key(_scope_not_run(scope, list(run)), "accept", scope)
            continue
        for level in sorted(limits.model_fields_set):
            _check_severity(scope, level, severities[scope], here)


def check_recorded_scopes(model: Benchmark, here: Scope) -> None:
    """Complain of limits for recorded sets that the file does not declare."""
    if "recorded" in model.accept.model_fields_set and not model.recorded:
        if here.insists_on("accept", RECORDED):
            message = "limits under accept.recorded, but no recorded set is declared"
            here.complain_of_key(message, "accept", RECORDED)
        return
    for name in model.accept.recorded.model_extra or {}:
        if name not in model.recorded and here.insists_on("accept", RECORDED, name):
            message = (
                f"{name!r} under accept.recorded is neither a metric nor a recorded set; "
                f"{suggestion(name, [*model.recorded, *known_metrics()])}"
            )
            here.complain_of_key(message, "accept", RECORDED, name)


def _check_severity(scope: str, level: str, run: set[float | None], here: Scope) -> None:
    number = level.removeprefix("severity_")
    if number == level or float(number) in run or not here.insists_on("accept", scope, level):
        return
    message = f"limit for {scope}-{level}, which is not run; severities: {_listed(run)}"
    here.complain_of_key(message, "accept", scope, level)


def _listed(severities: set[float | None]) -> str:
    return ", ".join(f"{s:g}" for s in sorted(s for s in severities if s is not None))


def _scope_not_run(scope: str, run: list[str]) -> str:
    if misplaced_scope(scope):
        return misplaced_scope(scope)
    if scope in known_names():
        return f"limit for {scope}, which is not run; corruptions: {', '.join(run) or 'none'}"
    valid = suggestion(scope, [*SCOPES, *SETTINGS, *run])
    return f"unknown corruption {scope!r} under accept; {valid}"


def limits_of(
    model: Benchmark, conditions: tuple[Condition, ...], unjudged: frozenset[str], here: Scope
) -> tuple[dict[str, tuple[Limit, ...]], tuple[Limit, ...]]:
    """Return the limits of every condition, and those of the summary."""
    table = LimitTable(model.accept, here.table.table("accept"), here.file)
    limits = {c.id: () if c.id in unjudged else table.of(c) for c in conditions}
    judged = [c for c in conditions if c.id not in unjudged and not c.ladder]
    unreached = [c for c in judged if not limits[c.id]]
    if unreached:
        names = ", ".join(_grouped(unreached, conditions))
        here.complain(
            f"no limit reaches {names}: declare one under accept, or name it in measure_only",
            "accept",
        )
    elif not any(limits.values()) and (here.profile or any(map(table.of, conditions))):
        here.complain(
            "no condition is left that any limit would judge: measure_only names all of them",
            "measure_only",
        )
    return limits, table.of_summary()


def one_sided_of(
    model: Benchmark, conditions: tuple[Condition, ...], here: Scope
) -> dict[str, OneSided]:
    """Return the side that limits are meant to see alone, by condition, where that is said."""
    table = LimitTable(model.accept, here.table.table("accept"), here.file)
    meant = {c.id: table.one_sided(c) for c in conditions} | {SUMMARY: table.one_sided(None)}
    return {condition: side for condition, side in meant.items() if side is not None}


def check_soundness(
    limits: Mapping[str, tuple[Limit, ...]],
    summary: tuple[Limit, ...],
    one_sided: Mapping[str, OneSided],
    here: Scope,
) -> None:
    """Complain of limits that would be green whatever happens, or on one side of decisions."""
    for limit, text in objections(limits, summary, one_sided):
        here.complain(text, *here.path_of(limit))
    judged = {c: sides_seen(limits[c]) for c in one_sided if limits.get(c)}
    if judged and all(len(sides) == len(ONE_SIDED) for sides in judged.values()):
        path = next(path for path in here.limit_paths() if path[-1] == "one_sided")
        if here.insists_on(*path):
            here.complain_of_key(SEES_BOTH, *path)


def _grouped(some: list[Condition], conditions: tuple[Condition, ...]) -> list[str]:
    """Name whole corruptions where every severity of them is among `some`."""
    names = []
    for corruption in dict.fromkeys(c.corruption for c in some):
        missing = [c.id for c in some if c.corruption == corruption]
        whole = len(missing) == sum(c.corruption == corruption for c in conditions)
        names += [corruption] if whole else missing
    return names


def check_pixel_segf1(model: Benchmark, here: Scope) -> None:
    """Complain of limits on Pixel SegF1 where it is switched off."""
    if model.pixel_segf1:
        return
    for path in here.limit_paths():
        if "pixel_segf1" in str(path[-1]):
            message = (
                f"limit on {path[-1]} under {dotted(path[:-1])}, but pixel_segf1 is switched off"
            )
            here.complain_of_key(message, *path)
