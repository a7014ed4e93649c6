"""What differs between two reports is named with both values; nothing that differs goes unsaid."""

from __future__ import annotations

import copy

import pytest

from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.evaluation.settings import CalibrationSettings, EvaluationSettings
from pytest_robustbench.reports.compare.comparability import compare_inputs
from tests.reports.report_samples import GIVEN
from tests.reports.stored_reports import (
    CONDITIONS,
    CONFIG,
    duller,
    edited,
    measure,
    recorded_set,
    stored,
    without,
)

BLUR = ("robustness", "corruptions", "blur", "severity_3")
IN_BOTH = " in the baseline, "


def compared(baseline, candidate, **options):
    return compare_inputs(stored(baseline, "b.json"), stored(candidate, "c.json"), **options)


def problem(baseline, candidate, **options):
    (found,) = compared(baseline, candidate, **options).problems
    return found


def config(**sections):
    return {**CONFIG, **sections}


def test_two_models_on_the_same_images_are_comparable(base, other):
    found = compared(base, other)

    assert found.problems == ()
    assert found.notes == ()
    assert list(found.overlap) == CONDITIONS
    assert found.overlap["clean"] == tuple(base["samples"]["id"])
    assert found.overlap["recorded-led"] == tuple(
        base["robustness"]["recorded"]["led"]["samples"]["id"]
    )


def test_the_same_run_is_named(base):
    found = compared(base, copy.deepcopy(base))

    assert found.problems == ()
    assert found.notes[0].startswith("THE SAME RUN: ")


@pytest.mark.parametrize("key", ["dataset", "category"])
def test_other_data(base, other, key):
    found = problem(base, edited(other, ((key,), "elsewhere")))

    assert found == f"{key}: {base[key]}{IN_BOTH}elsewhere in the candidate"


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("source_digest", "0" * 16, "are other pictures or have other masks"),
        ("label", 1, "have another label"),
        ("shape", [64, 64], "are evaluated at another size"),
        ("mask_known", False, "have a mask in one report only"),
    ],
)
def test_images_that_are_not_the_same(base, other, column, value, words):
    row = other["samples"]["label"].index(0)
    found = problem(base, edited(other, (("samples", column, row), value)))

    assert found.startswith(f"1 of {len(other['samples']['id'])} test images {words}")
    assert other["samples"]["id"][row] in found
    assert IN_BOTH in found


def test_an_image_of_another_size_is_named_once_and_not_for_its_digest_too(base, other):
    resized = edited(
        other, (("samples", "shape", 0), [64, 64]), (("samples", "source_digest", 0), "0" * 16)
    )

    assert "are evaluated at another size" in problem(base, resized)


def test_images_of_a_recorded_set_are_compared_too(base, other):
    path = ("robustness", "recorded", "led", "samples", "source_digest", 1)

    assert "1 of 5 images of recorded-led are other pictures" in problem(
        base, edited(other, (path, "0" * 16))
    )


def test_another_severity_list(base):
    conditions = [c.replace("severity_5", "severity_4") for c in CONDITIONS]
    candidate = measure(duller, severities=[3, 4], config=config(conditions=conditions))
    found = compared(base, candidate)
    remedy = "measure both under the same conditions"

    assert found.problems == (
        f"only the baseline has blur-severity_5, geo_jitter-severity_5: {remedy}",
        f"only the candidate has blur-severity_4, geo_jitter-severity_4: {remedy}",
    )
    assert list(found.overlap) == [c for c in CONDITIONS if "severity_5" not in c]


def test_another_seed_of_the_corruptions_is_named_once(base):
    found = problem(base, measure(duller, evaluation=EvaluationSettings(seed=3)))

    assert "'blur-severity_3', 'blur-severity_5', 'geo_jitter-severity_3' and 1 more: seed" in found
    assert "0 in the baseline, 3 in the candidate" in found


@pytest.mark.parametrize(
    ("key", "value"), [("version", 9), ("parameters", {"sigma": 2}), ("name", "fog")]
)
def test_another_specification(base, other, key, value):
    found = problem(base, edited(other, ((*BLUR, "specification", key), value)))

    assert found.startswith(f"'blur-severity_3': {key} of the corruption: ")
    assert IN_BOTH in found


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pixel_normal_quantile": 0.99}, "pixel_normal_quantile: 0.999 in the baseline, 0.99"),
        ({"image_normal_quantile": 0.9}, "image_normal_quantile: 0.95 in the baseline, 0.9"),
    ],
)
def test_another_quantile(base, settings, words):
    found = problem(base, measure(duller, calibration=CalibrationSettings(**settings)))

    assert words in found
    assert "measure both with the same calibration" in found


@pytest.mark.parametrize(
    ("key", "value"),
    [("method", "images"), ("n_images", 99), ("calibrated_on", "0" * 32)],
)
def test_another_calibration(base, other, key, value):
    baseline, candidate = (
        edited(plain, (("operating_point", "method"), "holdout")) for plain in (base, other)
    )
    found = problem(baseline, edited(candidate, (("operating_point", key), value)))

    assert found.startswith("calibration: ")
    assert str(value) in found


@pytest.mark.parametrize(
    ("method", "key", "matters"),
    [
        ("holdout", "fraction", True),
        ("holdout", "seed", True),
        ("holdout", "folds", False),
        ("crossfit", "folds", True),
        ("crossfit", "seed", True),
        ("images", "seed", False),
    ],
)
def test_the_settings_a_method_uses(base, other, method, key, matters):
    baseline, candidate = (
        edited(plain, (("operating_point", "method"), method)) for plain in (base, other)
    )
    changed = edited(candidate, (("config", "calibration", key), 77))
    problems = compared(baseline, changed).problems

    assert bool(problems) == matters
    assert all(f"calibration: {key}: " in p and "77 in the candidate" in p for p in problems)


def test_deploy_mode_judges_the_candidate_at_the_thresholds_of_the_baseline(base):
    point = OperatingPoint.from_dict({**base["operating_point"], "method": "given"})
    found = compared(base, measure(duller, operating_point=point))

    assert found.problems == ()
    assert any("both are judged at the same frozen operating point" in n for n in found.notes)


def test_thresholds_given_on_one_side_must_be_those_of_the_other(base):
    found = problem(base, measure(duller, operating_point=GIVEN))

    assert found.startswith("operating point: pixel threshold 4")
    assert "pixel threshold 20.0, image threshold 30.0 in the candidate" in found


def test_thresholds_given_on_both_sides_may_differ_and_are_shown():
    second = OperatingPoint(pixel_threshold=5.0, image_threshold=6.0)
    found = compared(measure(operating_point=GIVEN), measure(duller, operating_point=second))

    assert found.problems == ()
    assert any("image threshold 6.0 in the candidate" in note for note in found.notes)


@pytest.mark.parametrize(
    ("key", "value"), [("pixel_segf1", False), ("aupro_limit", 0.05), ("gaussian_sigma", 4.0)]
)
def test_other_settings_of_the_evaluation(base, other, key, value):
    found = problem(base, edited(other, (("config", "evaluation", key), value)))

    assert found.startswith(f"evaluation: {key}: ")


def test_a_setting_an_older_report_does_not_name_had_its_default(base, other):
    old = without(base, "config", "evaluation", "gaussian_sigma")

    assert compared(old, other).problems == ()
    changed = edited(other, (("config", "evaluation", "gaussian_sigma"), 4.0))
    assert "0.0 in the baseline, 4.0 in the candidate" in problem(old, changed)


def test_settings_that_are_not_recorded_are_a_note(base, other):
    (note,) = compared(base, edited(other, (("config",), {}))).notes

    assert note.startswith("no configuration in the candidate: whether maps")


def other_pixels(plain):
    return edited(
        plain,
        ((*BLUR, "per_image", "digest", 0), "0" * 16),
        (("environment", "packages", "cv2"), "4.0"),
        (("environment", "cpu"), "another processor"),
    )


def test_other_pixels_of_the_same_specification_are_a_note_with_the_versions(base, other):
    found = compared(base, other_pixels(other))

    assert found.problems == ()
    (note,) = found.notes
    assert note.startswith("1 of 6 conditions have other pixels")
    assert "blur-severity_3" in note
    assert f"cv2: {base['environment']['packages']['cv2']}{IN_BOTH}4.0" in note
    assert "another processor in the candidate" in note


def test_other_pixels_are_a_problem_where_pixels_are_strict(base, other):
    found = compared(base, other_pixels(other), strict_pixels=True)

    assert [p.startswith("1 of 6 conditions have other pixels") for p in found.problems] == [True]
    assert found.notes == ()


def shortened(plain, *rows):
    """Drop test images, and nothing else: as if they had never been there."""
    gone = set(rows)

    def shorter(column):
        return [v for i, v in enumerate(column) if i not in gone]

    changed = copy.deepcopy(plain)
    robustness = changed["robustness"]
    severities = [r for c in robustness["corruptions"].values() for r in c.values()]
    for columns in (
        changed["samples"],
        *(r["per_image"] for r in [robustness["clean"], *severities]),
    ):
        columns.update({name: shorter(column) for name, column in columns.items()})
    return changed


def test_new_and_removed_images_are_refused_unless_the_overlap_is_enough(base, other):
    ids = base["samples"]["id"]
    baseline, candidate = shortened(base, 1), shortened(other, 0)
    n = len(ids)
    told = (
        f"{n - 2} of {n} test images are in both (only in the baseline: {ids[0]!r}; only in the "
        f"candidate: {ids[1]!r})"
    )

    assert compared(baseline, candidate).problems == (f"{told}: less than min_overlap = 1",)
    lenient = compared(baseline, candidate, min_overlap=(n - 2) / n)
    assert lenient.problems == ()
    assert lenient.notes == (told,)
    assert lenient.overlap["clean"] == tuple(ids[2:])
    assert len(lenient.overlap["recorded-led"]) == 5


def test_images_in_another_order_are_compared_by_their_ids(base, other):
    changed = edited(
        other, *((("samples", key), lambda column: column[::-1]) for key in other["samples"])
    )
    found = compared(base, changed)

    assert [p for p in found.problems if "images" in p] == []
    assert found.overlap["clean"] == tuple(base["samples"]["id"])


def test_no_overlap_at_all_is_refused_whatever_is_allowed(base, other):
    renamed = edited(other, (("samples", "id"), lambda ids: [f"new/{i}" for i in ids]))

    assert "0 of " in problem(base, renamed, min_overlap=0.0)


def test_another_recorded_set_is_refused(base):
    found = compared(base, measure(duller, recorded={"led": recorded_set(seed=8)}))

    assert any("images of recorded-led are other pictures" in p for p in found.problems)


def test_another_way_of_ranking_and_of_calling_is_a_note(base):
    binned = measure(duller, evaluation=EvaluationSettings(memory_budget=0, batch_size=3))
    found = compared(base, binned)

    assert found.problems == ()
    assert any("ranking of the pixels: exact in the baseline, binned" in n for n in found.notes)
    assert any("images per call: 1 in the baseline, 3 in the candidate" in n for n in found.notes)


def test_everything_that_differs_is_named_at_once(base, other):
    changed = edited(
        other,
        (("category",), "elsewhere"),
        (("samples", "source_digest", 0), "0" * 16),
        ((*BLUR, "specification", "seed"), 5),
        (("config", "evaluation", "aupro_limit"), 0.05),
    )

    assert len(compared(base, changed).problems) == 4


def test_other_images_per_call_matter_where_latency_is_judged(base):
    place = ("robustness", "clean", "latency", "batch_size")
    other = edited(base, (place, 8), (("started",), "later"))

    assert "images per call: 1 in the baseline, 8" in compared(base, other).notes[0]
    judged = problem(base, other, latency=True)
    assert judged.endswith("latencies cannot be compared; measure both with the same batch_size")
