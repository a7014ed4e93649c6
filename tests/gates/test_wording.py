"""A verdict reads as what it is, also where value and limit agree in the first digits."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_robustbench.gates.limits import Limit, Verdict
from pytest_robustbench.gates.wording import describe, shown

CEILING = Limit("bg_fpr", "max", 0.02, "r.yaml:7")
FLOOR = Limit("pixel_segf1", "min", 0.35, "r.yaml:9")
FINITE = st.floats(-1e6, 1e6)


@given(FINITE, FINITE)
def test_a_value_is_never_shown_as_the_limit_it_differs_from(value: float, limit: float) -> None:
    assume(value != limit)
    assert float(shown(value, limit)) != limit


@given(FINITE)
def test_a_value_on_its_limit_is_shown_short(value: float) -> None:
    assert shown(value, value) == f"{value:.3g}"


@pytest.mark.parametrize(
    ("limit", "value", "outcome", "text"),
    [
        (
            Limit("bg_fpr", "max", 0.02, "r.yaml:7"),
            0.02001,
            "fail",
            "bg_fpr = 0.02001 is 1e-05 above",
        ),
        (
            Limit("pixel_segf1", "min", 0.35, "r.yaml:9"),
            0.3,
            "fail",
            "pixel_segf1 = 0.3 is 0.05 below",
        ),
        (Limit("pixel_segf1", "min", 0.35, "r.yaml:9"), 0.4, "pass", "pixel_segf1 = 0.4 keeps"),
    ],
)
def test_value_distance_side_and_source(
    limit: Limit, value: float, outcome: str, text: str
) -> None:
    line = describe(Verdict("clean", limit, value, outcome))  # type: ignore[arg-type]
    assert line.startswith(f"clean: {text} the ") or text.endswith("keeps")
    assert text in line
    assert line.endswith(f"({limit.source})")


def test_what_cannot_be_measured_says_why() -> None:
    limit = Limit("auroc", "min", 0.9, "r.yaml:3")
    line = describe(Verdict("clean", limit, None, "error", "no defect image in the test set"))
    assert line == (
        "clean: auroc cannot be measured: no defect image in the test set; floor 0.9 (r.yaml:3)"
    )


@pytest.mark.parametrize(
    ("limit", "n_images", "text"),
    [
        (FLOOR, 17, "17 defect images: 95 % interval 0.28 to 0.41"),
        (FLOOR, 1, "1 defect image: 95 % interval 0.28 to 0.41"),
        (CEILING, 40, "40 images: 95 % interval 0.28 to 0.41"),
        (Limit("normal_fpr", "max", 0.1, "r.yaml:8"), 23, "23 normal images: 95 % interval "),
        (FLOOR, None, "(r.yaml:9); 95 % interval 0.28 to 0.41"),
    ],
)
def test_how_sure_a_value_is_stands_beside_it(
    limit: Limit, n_images: int | None, text: str
) -> None:
    interval = (0.28, 0.41)
    for outcome in ("pass", "fail"):
        verdict = Verdict(
            "clean",
            limit,
            0.349,
            outcome,  # type: ignore[arg-type]
            interval=interval,
            n_images=n_images,
        )
        assert text in describe(verdict)
        assert describe(verdict).startswith("clean: ")
        assert not describe(verdict, with_condition=False).startswith("clean")
