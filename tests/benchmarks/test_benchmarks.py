"""Every benchmark runs on tiny inputs, with whatever peers there are, and measures something."""

from __future__ import annotations

import platform
import subprocess
import sys
from types import ModuleType

import corruptions
import loss_scenarios
import metrics
import numpy as np
import pytest
import regression
import run
from image_population import Population, populations
from peers import load, made_ready
from sklearn.metrics import average_precision_score, roc_auc_score
from table import Table, cell
from timing import Timed, in_turn, once


def by_name(table: Table) -> dict[object, tuple[object, ...]]:
    return {row[0]: row[1:] for row in table.rows}


def refuse(name: str) -> None:
    raise ModuleNotFoundError(f"No module named {name!r}")


# ---- metrics -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pixels() -> metrics.Pixels:
    return metrics.condition(n=8, size=64)


def test_metrics_are_those_of_scikit_learn() -> None:
    (table,) = metrics.tables(quick=True)

    _, _, auroc, average_precision, _ = by_name(table)["scikit-learn"]
    assert auroc < 1e-9
    assert average_precision < 1e-9
    assert by_name(table)[metrics.OURS][1].median == 1


def test_streaming_errs_by_less_than_it_says() -> None:
    (table,) = metrics.tables(quick=True)

    (_, _, _, *errors), (_, _, _, *bounds) = table.rows[1:3]
    assert all(error <= bound for error, bound in zip(errors, bounds, strict=True))
    assert all(0 < bound < 1e-2 for bound in bounds)


def test_our_values_are_right_where_everyone_starts_from_the_same_pixels(
    pixels: metrics.Pixels,
) -> None:
    values = metrics.exact(pixels)

    labels, scores = pixels.masks.ravel(), pixels.maps.ravel()
    assert values.auroc == pytest.approx(roc_auc_score(labels, scores), abs=1e-9)
    assert values.average_precision == pytest.approx(
        average_precision_score(labels, scores), abs=1e-9
    )
    assert 0.5 < values.aupro < 1


def test_a_condition_has_normal_and_defect_images(pixels: metrics.Pixels) -> None:
    defect = pixels.masks.any(axis=(1, 2))

    assert 0 < defect.mean() < 1
    assert 0 < pixels.masks.mean() < 0.1
    assert pixels.maps.dtype == np.float32
    assert pixels.maps.max() == 1


def test_regions_of_different_images_differ() -> None:
    masks = np.zeros((3, 5, 5), bool)
    masks[0, 0, 0] = masks[0, 4, 4] = masks[2, 1:3, 1:3] = True

    assert metrics.region_numbers(masks).tolist() == [0, 1, 2, 2, 2, 2]


# ---- corruptions -------------------------------------------------------------------------------


def test_corruptions_have_rates() -> None:
    rates, compared = corruptions.tables(quick=True)

    assert len(rates.rows) == 2 * len(corruptions.DEFAULT)
    for _, _, one, mean, *others in rates.rows:
        assert one > 0
        assert mean > 0
        measured = [other for other in others if isinstance(other, corruptions.Rate)]
        assert all(rate.ours.median == pytest.approx(one / rate.per_second) for rate in measured)
    assert {row[0] for row in compared.rows} == set(corruptions.DEFAULT)


def test_one_thread_is_given_back() -> None:
    before = corruptions.cv2.getNumThreads()

    with corruptions.one_thread():
        assert corruptions.cv2.getNumThreads() == 1
    assert corruptions.cv2.getNumThreads() == before


def test_a_peer_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corruptions, "load", refuse)

    rates, _ = corruptions.tables(quick=True)

    jpeg = next(row for row in rates.rows if row[0] == "jpeg")
    assert jpeg[2] > 0
    assert jpeg[4:] == ("not measured",) * 3
    assert "albumentations: not measured: No module named 'albumentations'" in rates.notes


# ---- patchcore ---------------------------------------------------------------------------------


def test_patchcore_is_as_good_as_a_naive_one() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("efficientnet_lite_pytorch")
    import patchcore

    (table,) = patchcore.tables(quick=True)

    rows = by_name(table)
    assert set(rows) == {*patchcore.ALL, patchcore.NETWORK}
    fit, _, predict, ratio, *_ = rows[patchcore.OURS]
    assert fit > 0
    assert predict > 0
    assert ratio.median == 1
    measured = [row for row in rows.values() if len(row) > 1 and row[-1] is not None]
    assert len(measured) >= 2
    assert all(row[-1] > 0.9 for row in measured)


# ---- regression --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def images() -> Population:
    return populations(quick=True)[0]


@pytest.mark.parametrize("kind", loss_scenarios.KINDS)
def test_a_population_loses_exactly_what_is_asked_for(images: Population, kind: str) -> None:
    found = loss_scenarios.loss_of(images, "bg_fpr", kind, 0.01, ("clean",))

    assert found is not None
    assert loss_scenarios.true_loss(images, "bg_fpr", found, "clean") == pytest.approx(0.01)
    assert loss_scenarios.true_loss(images, "bg_fpr", found, "blur-severity_3") == 0


def test_drawn_test_sets_lose_it_on_average(images: Population) -> None:
    found = loss_scenarios.loss_of(images, "bg_fpr", "concentrated", 0.05, ("clean",))
    rng = np.random.default_rng(0)

    pairs = [loss_scenarios.drawn_pairs(images, 200, found, rng)["clean"] for _ in range(20)]

    losses = [rate(pair.candidate) - rate(pair.baseline) for pair in pairs]
    assert np.mean(losses) == pytest.approx(0.05, rel=0.1)


def rate(outputs: loss_scenarios.Outputs) -> float:
    return outputs.fp.sum() / (outputs.fp + outputs.tn).sum()


def test_no_more_is_lost_than_there_is(images: Population) -> None:
    assert loss_scenarios.loss_of(images, "pixel_segf1", "diffuse", 1.0, ("clean",)) is None


def test_the_regression_gate_has_operating_characteristics() -> None:
    alarms, losses, decided = regression.tables(quick=True)

    assert len(alarms.rows) == len(regression.QUICK.defects)
    assert {(row[2], row[3]) for row in losses.rows} >= {
        ("bg_fpr", k) for k in ("diffuse", "concentrated")
    }
    shares = [share for row in losses.rows for share in row[4:] if share is not None]
    assert all(0 <= share <= 1 for share in shares)
    assert all(sum(row[3:]) == pytest.approx(1) for row in decided.rows)


# ---- peers, timing, tables ---------------------------------------------------------------------


def test_one_peer_that_fails_harms_no_other() -> None:
    def broken() -> None:
        raise ValueError("no such layer\nand much more")

    ready = made_ready(
        {
            "missing": lambda: refuse("missing"),
            "breaks": lambda: broken,
            "works": lambda: lambda: 3,
        }
    )

    assert ready.works["works"]() == 3
    assert ready.complaints == {
        "missing": "not measured: No module named 'missing'",
        "breaks": "not measured: ValueError: no such layer",
    }


def test_shims_are_gone_after_an_import() -> None:
    before = set(sys.modules)

    assert load("colorsys").__name__ == "colorsys"
    assert set(sys.modules) - before <= {"colorsys"}


def test_works_are_done_in_turn() -> None:
    done = []

    timed = in_turn({"a": lambda: done.append("a"), "b": lambda: done.append("b") or "b"}, 3)

    assert done == ["a", "b"] * 3
    assert len(timed["a"].seconds) == 3
    assert timed["b"].result == "b"
    assert once(lambda: 5).result == 5


def test_a_ratio_is_of_medians_and_shows_its_range() -> None:
    ratio = Timed((2.0, 4.0, 9.0)).over(Timed((1.0, 2.0, 1.0)))

    assert ratio == (4.0, 2.0, 9.0)
    assert str(ratio) == "4 (2 to 9)"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.0, "0"),
        (12345.6, "12,346"),
        (1.0, "1.00"),
        (0.0345, "0.0345"),
        (3e-9, "3.0e-09"),
        (float("nan"), "nan"),
        (12, "12"),
        ("a|b", "a\\|b"),
    ],
)
def test_cells_show_what_means_something(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_table_in_markdown() -> None:
    table = Table("Times", ("who", "ms"), (("ours", 1.5), ("theirs: not measured",)), ("a note",))

    assert table.markdown() == (
        "### Times\n\n"
        "| who | ms |\n| --- | ---: |\n| ours | 1.50 |\n| theirs: not measured |  |\n\n"
        "- a note\n"
    )


# ---- the command -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", run.NAMES)
def test_the_command_prints_its_tables(name: str) -> None:
    needed = {"patchcore": "efficientnet_lite_pytorch", "pages": "jinja2"}
    pytest.importorskip(needed.get(name, "pytest"))
    done = subprocess.run(
        [sys.executable, run.__file__, "--quick", name], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    machine, *tables = done.stdout.splitlines()
    assert f"Python {platform.python_version()}" in machine
    assert "numpy" in machine
    assert sum(line.startswith("### ") for line in tables) >= 1
    assert done.stderr.startswith(f"{name} ...\n")


def test_the_output_does_not_name_the_host() -> None:
    assert platform.node() not in run.machine().split()


def test_all_benchmarks_are_run_where_none_is_named() -> None:
    assert tuple(run.parsed(["--quick"]).names) == run.NAMES
    assert run.parsed(["metrics"]).names == ["metrics"]


def test_a_benchmark_that_fails_is_shown_and_the_others_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, works = ModuleType("memory"), ModuleType("idle")
    broken.tables = lambda _quick: refuse("half")
    works.tables = lambda _quick: [Table("Idle", ("what",), (("nothing",),))]
    monkeypatch.setitem(sys.modules, "memory", broken)
    monkeypatch.setitem(sys.modules, "idle", works)

    status = run.main(["memory", "idle"])

    shown = capsys.readouterr().out
    assert status == 1
    assert "not measured: No module named 'half'" in shown
    assert "### Idle" in shown


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["speed"])

    assert "no benchmark speed; there are sweep, metrics" in capsys.readouterr().err
