"""A drift in words: what is told apart from zero, what is not, and what nobody can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_robustbench.reports.drift.quantities import QUANTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_robustbench.reports.drift.model import DriftRecord, EstimateRecord, SideRecord

MANY = 30
UNKNOWN = (
    "Rotation, and how loosely placed parts lie, cannot be told from such pictures: an unpaired "
    "part that is turned is another part."
)
NO_SHIFT = (
    "The shift of the frame cannot be told: pictures differ in size, or their scene is not steady."
)
NOISE = QUANTITIES["noise"].title
SENSOR = (
    "; no more than the blur takes from the pictures before: it may be the camera's own, unchanged"
)
MISFIT = (
    "What is left is not of the family: the estimates above may be what the family makes of it."
)


def quantity_rows(record: DriftRecord) -> list[tuple[str, str]]:
    """Return each quantity and what is known of it."""
    rows = [(QUANTITIES[key].title, described(key, one)) for key, one in record.estimates.items()]
    if _may_be_the_sensors(record):
        rows = [(title, text + SENSOR * (title == NOISE)) for title, text in rows]
    return [*rows, ("JPEG quality", _quality(record))]


def described(key: str, one: EstimateRecord) -> str:
    """Return what is known of one quantity."""
    row = QUANTITIES[key]
    floor = f"floor {one.floor:.2g}"
    if not one.told:
        return f"not told apart from zero ({floor} {one.unit})"
    low, high = one.interval
    camera = "" if one.at_camera is None else f", {one.at_camera:+.3g} px at the camera"
    way = row.more if one.value > 0 else row.less
    return f"{one.value:+.3g} {one.unit} [{low:+.3g}, {high:+.3g}]{camera}: {way} ({floor})"


def remainder_rows(record: DriftRecord) -> list[tuple[str, str]]:
    """Return what is left of each kind once the estimates are applied."""
    return [
        (
            one.kind,
            f"not explained (p {one.p:.2g}), most of all in {one.where}"
            if one.unexplained
            else f"explained (p {one.p:.2g})",
        )
        for one in record.remainders
    ]


def remarks(record: DriftRecord) -> Iterator[str]:
    """Yield what a reader should know."""
    if any(one.unexplained for one in record.remainders):
        yield MISFIT
    if "shift_x" not in record.estimates:
        yield NO_SHIFT
    yield UNKNOWN
    fewest = min(record.before.used, record.after.used)
    if fewest < MANY:
        yield (
            f"{fewest} pictures of a side are few: a floor falls with the square root of their "
            f"number, and {MANY} or more are better."
        )
    for key, one in record.estimates.items():
        if key in ("blur", "noise") and one.told and one.value < 0:
            yield (
                f"Less {key} cannot be imitated: measure before and after the other way round, and "
                "run the test pictures of now."
            )


def headline(record: DriftRecord) -> str:
    """Return in one line what has drifted."""
    told = [QUANTITIES[key].title for key, one in record.estimates.items() if one.told]
    if record.before.jpeg_quality != record.after.jpeg_quality:
        told.append("JPEG quality")
    left = [one.kind for one in record.remainders if one.unexplained]
    if not told and not left:
        return "no drift is told apart from chance"
    parts = ([f"drifted: {', '.join(told)}"] if told else []) + (
        [f"not explained: {', '.join(left)}"] if left else []
    )
    return "; ".join(parts)


def compared(record: DriftRecord) -> str:
    """Return what was held against what."""
    before, after = _side(record.before), _side(record.after)
    return f"{after} against {before}, response {record.response}"


def lines(record: DriftRecord, snippet: str) -> Iterator[str]:
    """Yield the whole of it, for a terminal."""
    yield headline(record)
    yield f"  {compared(record)}"
    rows = quantity_rows(record)
    left = [(f"left in the {kind}", text) for kind, text in remainder_rows(record)]
    width = max(len(title) for title, _ in (*rows, *left))
    for title, text in (*rows, *left):
        yield f"  {title.ljust(width)}  {text}"
    for remark in remarks(record):
        yield f"  {remark}"
    yield f"  {snippet}" if snippet else "  There is nothing to imitate."


def _may_be_the_sensors(record: DriftRecord) -> bool:
    """Return whether the noise may be what blur took away: that of the camera, unchanged."""
    noise = record.estimates.get("noise")
    if noise is None or not noise.told:
        return False
    low, _ = noise.interval
    return 0 < low <= record.blurred_away


def _quality(record: DriftRecord) -> str:
    before, after = (
        "no JPEG" if side.jpeg_quality is None else str(side.jpeg_quality)
        for side in (record.before, record.after)
    )
    return f"{before} before and after" if before == after else f"{before} before, {after} after"


def _side(side: SideRecord) -> str:
    some = "" if side.used == side.found else f" of {side.found}"
    return f"{side.used}{some} pictures of {side.folder}"
