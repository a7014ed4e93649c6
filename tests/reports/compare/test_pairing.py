"""Two reports as pairs: the same images, row by row, null as NaN."""

from __future__ import annotations

import jsonschema
import numpy as np
import pytest

from pytest_robustbench.errors import ReportError
from pytest_robustbench.gates.regression.decisions import changed_decisions
from pytest_robustbench.reports.compare.comparability import compare_inputs
from pytest_robustbench.reports.compare.pairing import pairs_of
from pytest_robustbench.reports.file.schema import report_schema
from tests.reports.report_samples import scores_only
from tests.reports.stored_reports import CONDITIONS, edited, measure, stored

COLUMNS = ("score", "tp", "fp", "fn", "tn")
JITTER = ("robustness", "corruptions", "geo_jitter", "severity_3")


def paired(baseline, candidate, **options):
    first, second = stored(baseline, "b.json"), stored(candidate, "c.json")
    return pairs_of(first, second, compare_inputs(first, second, **options))


def left_out(plain, row):
    nulls = [((*JITTER, "per_image", name, row), None) for name in (*COLUMNS, "digest")]
    return edited(plain, ((*JITTER, "left_out"), [plain["samples"]["id"][row]]), *nulls)


def test_every_condition_is_a_pair_of_what_the_reports_say(base, other):
    pairs = paired(base, other)

    assert [pair.condition for pair in pairs] == CONDITIONS
    for pair in pairs:
        for plain, outputs in ((base, pair.baseline), (other, pair.candidate)):
            record = stored(plain).record(pair.condition)
            samples = stored(plain).samples(pair.condition)
            assert pair.ids == tuple(samples["id"])
            assert pair.labels.tolist() == samples["label"]
            assert outputs.image_threshold == record["results"]["threshold"]
            assert outputs.pixel_threshold == record["results"]["pixel_metrics"]["pixel_threshold"]
            for name in COLUMNS:
                column = getattr(outputs, name)
                stated = [np.nan if v is None else v for v in record["per_image"][name]]
                assert column.dtype == np.float64
                assert np.array_equal(column, stated, equal_nan=True)


def test_the_decisions_of_a_pair_are_those_of_the_report(base, other):
    for pair in paired(base, other):
        found = pair.candidate
        stated = stored(other).record(pair.condition)["results"]["metrics"]

        assert (found.image_tp.sum(), found.image_fn.sum()) == (stated["tp"], stated["fn"])


def test_rows_belong_together_by_id_and_not_by_place(base, other):
    turned = edited(
        other,
        (("samples",), lambda columns: {k: v[::-1] for k, v in columns.items()}),
        (
            ("robustness", "clean", "per_image"),
            lambda columns: {k: v[::-1] for k, v in columns.items()},
        ),
    )
    pair = next(p for p in paired(base, turned) if p.condition == "clean")
    scores = other["robustness"]["clean"]["per_image"]["score"]

    assert pair.ids == tuple(base["samples"]["id"])
    assert pair.candidate.score.tolist() == scores


def test_images_left_out_on_both_sides_stay_as_nan(base, other):
    pair = next(
        p for p in paired(left_out(base, 2), left_out(other, 2)) if p.condition.startswith("geo")
    )

    assert np.isnan(pair.baseline.score[2])
    assert np.isnan(pair.candidate.tn[2])


@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_an_image_left_out_on_one_side_is_not_comparable(base, other, side):
    row = next(
        i
        for i, s in enumerate(stored(base).record("geo_jitter-severity_3")["per_image"]["score"])
        if s
    )
    reports = [base, other]
    index = ["baseline", "candidate"].index(side)
    reports[index] = left_out(reports[index], row)
    with pytest.raises(ReportError) as caught:
        paired(*reports)

    assert f"the {side} leaves out '{base['samples']['id'][row]}'" in str(caught.value)
    assert "geo_jitter-severity_3 is not comparable" in str(caught.value)


def test_reports_that_are_not_comparable_have_no_pairs(base, other):
    with pytest.raises(ReportError, match=r"c\.json is not comparable: category: .*elsewhere"):
        paired(base, edited(other, (("category",), "elsewhere")))


def test_a_model_without_maps_has_scores_alone(base):
    (pair, *_) = paired(base, measure(scores_only))

    assert not np.isnan(pair.candidate.score).any()
    assert np.isnan(pair.candidate.tp).all()
    assert not np.isnan(pair.baseline.tp).any()


def test_decisions_that_changed_are_those_the_reports_count(base, other):
    for pair in paired(base, other):
        kinds = [decision.kind for decision in changed_decisions(pair)]
        counts = [
            stored(plain).record(pair.condition)["results"]["metrics"] for plain in (base, other)
        ]

        new_misses = kinds.count("new miss") - kinds.count("fixed miss")
        new_rejects = kinds.count("new false reject") - kinds.count("fixed false reject")
        assert new_misses == counts[1]["fn"] - counts[0]["fn"]
        assert new_rejects == counts[1]["fp"] - counts[0]["fp"]


def test_changed_decisions_are_what_the_published_schema_says(base, other):
    changed = [d.to_dict() for pair in paired(base, other) for d in changed_decisions(pair)]
    definitions = report_schema()["$defs"]
    columns = {"type": "array", "items": {"$ref": "#/$defs/ChangedDecisionRecord"}}

    assert changed
    jsonschema.validate(changed, {**columns, "$defs": definitions})
