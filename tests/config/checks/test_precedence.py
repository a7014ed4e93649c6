"""The most specific limit of each metric binds: checked against a naive look-up."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_robustbench.config.checks.precedence import LimitTable
from pytest_robustbench.config.checks.runs import conditions_of
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.config.models.limits import Accept
from pytest_robustbench.config.yaml.nodes import Mark, Table

METRICS = {"specificity": "min", "pixel_segf1": "min", "bg_fpr": "max", "miss_rate": "max"}
CORRUPTIONS = ("blur", "jpeg")
values = st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True)
section = st.fixed_dictionaries({}, optional=dict.fromkeys(METRICS, values))
corruption = st.builds(
    lambda own, inner: {**own, **inner},
    section,
    st.fixed_dictionaries({}, optional={f"severity_{s}": section for s in (1, 3)}),
)
accepts = st.fixed_dictionaries(
    {}, optional={"all": section, "clean": section, **dict.fromkeys(CORRUPTIONS, corruption)}
)


def written(values):
    """Return a section as it stands in YAML: a number under the bound its metric takes."""
    return {
        key: written(value)
        if isinstance(value, dict)
        else (None if value is None else {METRICS[key]: value})
        for key, value in values.items()
    }


def naive(accept, condition, metric):
    """Return the value that the most specific scope gives a metric."""
    general = accept.get("all", {})
    own = accept.get(condition.corruption, {})
    for scope in (own.get(f"severity_{condition.severity}", {}), own, general):
        if metric in scope:
            return scope[metric]
    return None


def one_side_alone(accept, condition):
    """Whether the limits of a condition see misses alone, or false alarms: that is refused."""
    found = {m for m in METRICS if naive(accept, condition, m) is not None}
    return len(found & {"specificity", "miss_rate"} or found) == 1


@settings(deadline=None, max_examples=150)
@given(accepts)
def test_the_most_specific_limit_of_each_metric_binds(accept):
    table = LimitTable(Accept.model_validate(written(accept)), Table(Mark(1, 1), {}), "a.yaml")
    for condition in conditions_of({name: name for name in CORRUPTIONS}, (1, 2, 3)):
        found = {limit.metric: limit.value for limit in table.of(condition)}
        expected = {m: naive(accept, condition, m) for m in METRICS}
        assert found == {m: value for m, value in expected.items() if value is not None}


@settings(deadline=None, max_examples=25)
@given(base=accepts, above=accepts)
def test_defaults_lie_under_the_benchmark_metric_by_metric(tmp_path_factory, base, above):
    def laid_over(low, high):
        both = {
            k: laid_over(low[k], high[k]) for k in low if k in high and isinstance(low[k], dict)
        }
        return {**low, **high, **both}

    file = tmp_path_factory.mktemp("merge") / "robustness.yaml"
    content = {
        "schema_version": 1,
        "defaults": {"dataset": "fixture", "detector": "fixture", "accept": written(base)},
        "severities": [1, 3],
        "corruptions": list(CORRUPTIONS),
        "accept": {**written(above), "summary": {}},
        "measure_only": [],
    }
    accept = laid_over(base, above)
    if any(
        one_side_alone(accept, condition)
        for condition in conditions_of({name: name for name in CORRUPTIONS}, (1, 3))
    ):
        return
    conditions = conditions_of({name: name for name in CORRUPTIONS}, (1, 3))
    expected = {
        c.id: {m: v for m in METRICS if (v := naive(accept, c, m)) is not None} for c in conditions
    }
    content["measure_only"] = [name for name, limits in expected.items() if not limits]
    for name in content["measure_only"]:
        # A scope of its own would contradict measure_only.
        if any(scope in above for scope in (name, name.split("-")[0])):
            return
    file.write_text(json.dumps(content))
    (benchmark,) = load_config(file).benchmarks
    found = {c: {m.metric: m.value for m in limits} for c, limits in benchmark.limits.items()}
    assert found == expected
