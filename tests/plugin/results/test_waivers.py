"""A waived limit ends as xfail with its reason, and fails again after its date."""

from __future__ import annotations

import pytest

from tests.plugin.robustness_project import Project

STRICT = (
    "clean: {pixel_segf1: {min: 1.0}, one_sided: misses}\n"
    "blur: {miss_rate: {max: 0.99}, one_sided: misses}\n"
)
WAIVER = (
    "waivers:\n  - {{condition: {condition}, metric: {metric}, reason: new lens on order, "
    "by: line 3, until: {until}}}\n"
)


@pytest.fixture
def waived(project: Project):
    """Run a project whose violated limit is waived until a day."""

    def run(accept=STRICT, condition="clean", metric="pixel_segf1", until="2999-12-31", options=()):
        extra = WAIVER.format(condition=condition, metric=metric, until=until)
        project.yaml(accept, corruptions="[blur]", severities="[3]", extra=extra)
        return project.run(*(options or ("-v", "-rx")))

    return run


def test_a_waived_limit_is_shown_as_xfail_with_its_reason(waived, project):
    result = waived()

    result.assert_outcomes(passed=2, xfailed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(["*new lens on order*"])
    verdict = project.report()["verdicts"][0]
    assert verdict["verdict"] == "fail"
    assert verdict["waiver"]["by"] == "line 3"


def test_after_its_date_the_limit_fails_again(waived):
    result = waived(until="2020-01-31")

    assert result.ret == 1
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*pixel_segf1*below the floor 1*ran out on 2020-01-31*"])


def test_another_violated_limit_of_the_condition_still_fails(waived):
    result = waived(
        "clean: {pixel_segf1: {min: 1.0}, aupro: {min: 1.0}, one_sided: misses}\n"
        "blur: {recall: {min: 0.001}, one_sided: misses}\n"
    )

    assert result.ret == 1
    result.stdout.fnmatch_lines(["*aupro*below the floor 1*"])


def test_a_waived_limit_of_the_summary(waived):
    accept = (
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n"
        "summary: {mean_corruption_pixel_segf1: {min: 1.0}}\n"
    )
    result = waived(accept, "summary", "mean_corruption_pixel_segf1")

    assert result.ret == 0
    result.assert_outcomes(passed=3, xfailed=1)
    result.stdout.fnmatch_lines(["*hazelnut-summary*", "*new lens on order*"])


@pytest.mark.parametrize("options", [("--verbosity=0",), ("-q",)])
def test_the_terminal_tells_every_waived_violation(waived, options):
    result = waived(options=options)

    told = "*waived: clean: pixel_segf1 = *until 2999-12-31 by line 3: new lens on order*"
    result.stdout.fnmatch_lines([told])


def test_a_waived_violation_of_the_summary_is_told_as_well(waived):
    accept = (
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n"
        "summary: {mean_corruption_pixel_segf1: {min: 1.0}}\n"
    )
    result = waived(accept, "summary", "mean_corruption_pixel_segf1", options=["-q"])

    result.stdout.fnmatch_lines(["*waived: summary: mean_corruption_pixel_segf1 = *by line 3*"])


def test_a_waiver_that_is_not_needed_any_more_is_noted(waived):
    holds = STRICT.replace("min: 1.0", "min: 0.001")
    result = waived(holds, options=["-q"])

    assert result.ret == 0
    told = "*note: clean: the waiver of pixel_segf1 by line 3 can be removed*(robustness.yaml:*)"
    result.stdout.fnmatch_lines([told])


def test_a_waiver_that_ran_out_is_noted(waived):
    result = waived(until="2020-01-31", options=["-q"])

    result.stdout.fnmatch_lines(
        ["*note: clean: the waiver of pixel_segf1 * ran out on 2020-01-31*"]
    )


def test_where_pytest_runs_xfail_tests_as_usual_a_waived_limit_fails(waived, project):
    result = waived(options=["-v", "--runxfail"])

    result.assert_outcomes(passed=2, failed=1)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*below the floor 1*waiver by line 3*--runxfail*"])
    assert "waiver" not in project.report()["verdicts"][0]


def test_where_pytest_runs_xfail_tests_as_usual_a_waived_summary_fails(waived):
    accept = (
        "all: {miss_rate: {max: 0.99}, one_sided: misses}\n"
        "summary: {mean_corruption_pixel_segf1: {min: 1.0}}\n"
    )
    result = waived(accept, "summary", "mean_corruption_pixel_segf1", options=["--runxfail"])

    result.assert_outcomes(passed=3, failed=1)
    assert result.ret == 1


def test_a_violated_limit_carries_the_interval_of_its_value(waived):
    result = waived(until="2020-01-31")

    result.stdout.fnmatch_lines(["*6 defect images: 95 % interval * to *"])
