"""A slower candidate is told from a busy machine; simulated, no time is measured."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pytest_robustbench.gates.regression.changes import AllowedChange
from pytest_robustbench.gates.regression.latency import judge_latency
from pytest_robustbench.gates.regression.timings import (
    Doubt,
    LatencySample,
    Layout,
    Timings,
    compare_timings,
)

CONDITIONS = ("clean", *(f"blur-severity_{s}" for s in range(1, 6)), "jpeg-severity_3")
METRICS = ("latency_ms_per_image", "latency_p95_ms", "latency_relative")


def limit(metric="latency_ms_per_image", value=1.0, *, relative=False):
    return AllowedChange(metric, "max_rise", value, relative, "robustness.yaml:9")


def load(rng, n, *, memory, spread):
    """The machine's load as logarithms: an AR(1) process whose memory is counted in calls."""
    keep = np.exp(-1 / memory)
    steps = rng.normal(0, spread * np.sqrt(1 - keep**2), n)
    found = np.empty(n)
    found[0] = rng.normal(0, spread)
    for i in range(1, n):
        found[i] = keep * found[i - 1] + steps[i]
    return found


def run(
    rng,
    *,
    ms=10.0,
    reference=1.0,
    n=40,
    conditions=CONDITIONS,
    noise=0.03,
    suffers=1.0,
    spikes=0.02,
    **machine,
):
    """One run: detector and reference under the same load, each call with a noise of its own.

    The detector suffers from the load by a power of its own.
    """
    drift = load(rng, n * len(conditions), **({"memory": 200, "spread": 0.1} | machine))
    samples = {}
    for i, condition in enumerate(conditions):
        busy = drift[i * n : (i + 1) * n]
        calls = ms * np.exp(suffers * busy + np.abs(rng.normal(0, noise, n)))
        calls[rng.random(n) < spikes] *= 3
        timed = reference * np.exp(busy[::4] + np.abs(rng.normal(0, noise, len(busy[::4]))))
        samples[condition] = LatencySample(calls, timed)
    return samples


def judge(baseline, candidate, change=None, *, same_machine=True, **more):
    change = limit() if change is None else change
    return judge_latency("nuts", change, baseline, candidate, same_machine=same_machine, **more)


MACHINES = {
    "quiet": {"memory": 20, "spread": 0.01},
    "drifting within conditions": {"memory": 20, "spread": 0.15},
    "drifting over conditions": {"memory": 200, "spread": 0.15},
    "busy for a whole run": {"memory": 20_000, "spread": 0.2},
    "disturbing the detector more": {"memory": 20_000, "spread": 0.2, "suffers": 1.5},
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("machine", MACHINES.values(), ids=MACHINES)
def test_exchangeable_runs_are_rarely_called_regressed(metric, machine):
    """Nothing is allowed, so that every rise that seems sure is a false alarm."""
    rng = np.random.default_rng(11)
    n = 100
    outcomes = [
        judge(run(rng, **machine), run(rng, **machine), limit(metric, 0.0)).outcome
        for _ in range(n)
    ]

    assert outcomes.count("regressed") <= 0.05 * n
    assert "error" not in outcomes


QUIET = {"memory": 20, "spread": 0.02, "spikes": 0.0}
HALF = {"value": 0.5, "relative": True}


@pytest.mark.parametrize("conditions", [CONDITIONS, CONDITIONS[:2], CONDITIONS[:1]], ids=len)
@pytest.mark.parametrize("metric", METRICS)
def test_twice_the_time_is_a_regression(metric, conditions):
    rng = np.random.default_rng(5)
    n = 200 if len(conditions) < 3 else 40
    for _ in range(5):
        baseline = run(rng, n=n, conditions=conditions, **QUIET)
        candidate = run(rng, n=n, ms=20, conditions=conditions, **QUIET)

        verdict = judge(baseline, candidate, limit(metric, **HALF))

        assert (verdict.outcome, verdict.condition) == ("regressed", "run")
        assert verdict.p <= 0.05
        assert verdict.loss > verdict.allowed == pytest.approx(verdict.baseline / 2)
        assert verdict.candidate / verdict.baseline == pytest.approx(2, rel=0.1)
        assert verdict.interval[0] < verdict.loss < verdict.interval[1]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(("allowed", "known"), [(1.0, {}), (0.5, {"spread": 0.1})])
def test_the_same_speed_on_quiet_machines_passes(metric, allowed, known):
    rng = np.random.default_rng(6)
    n = 20
    change = limit(metric, allowed, relative=True)
    outcomes = [
        judge(run(rng, **QUIET), run(rng, **QUIET), change, **known).outcome for _ in range(n)
    ]

    assert outcomes.count("pass") >= 0.9 * n
    assert "regressed" not in outcomes


@pytest.mark.parametrize("metric", METRICS)
def test_a_loss_as_large_as_allowed_rarely_passes(metric):
    rng = np.random.default_rng(7)
    n = 100
    outcomes = [
        judge(
            run(rng, **QUIET), run(rng, ms=15, **QUIET), limit(metric, 0.5, relative=True)
        ).outcome
        for _ in range(n)
    ]

    # At the very margin both error rates hold: 5 % and the noise of a hundred draws.
    assert outcomes.count("pass") <= 0.09 * n
    assert outcomes.count("regressed") <= 0.6 * n


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("speed", [0.4, 2.5])
def test_a_slower_machine_is_no_regression(metric, speed):
    rng = np.random.default_rng(8)
    for _ in range(10):
        baseline = run(rng, **QUIET)
        candidate = run(rng, ms=10 * speed, reference=speed, **QUIET)

        verdict = judge(baseline, candidate, limit(metric, **HALF), same_machine=False)

        assert verdict.outcome != "regressed"
        assert verdict.loss == pytest.approx(0, abs=0.15 * verdict.baseline)


def test_on_another_machine_milliseconds_are_those_of_the_baselines():
    rng = np.random.default_rng(9)
    baseline = run(rng, **QUIET)
    candidate = run(rng, ms=60, reference=2, **QUIET)

    verdict = judge(baseline, candidate, limit(value=5.0), same_machine=False)

    assert verdict.outcome == "regressed"
    assert verdict.allowed == 5.0
    assert verdict.baseline == pytest.approx(10, rel=0.1)
    assert verdict.candidate == pytest.approx(30, rel=0.2)
    assert "different machines" in verdict.reason
    assert "reference workload" in verdict.reason


def test_on_one_machine_clock_and_reference_have_to_agree():
    """The machine was slow in the second run, as its reference says: nobody is to blame."""
    rng = np.random.default_rng(10)
    baseline = run(rng, **QUIET)
    disturbed = run(rng, ms=20, reference=2, **QUIET)

    verdict = judge(baseline, disturbed, limit(**HALF))

    assert verdict.outcome == "inconclusive"
    assert verdict.candidate == pytest.approx(20, rel=0.1)
    assert "in units of the reference workload" in verdict.reason


def test_a_faster_second_run_hides_no_regression():
    rng = np.random.default_rng(10)
    slower = run(rng, ms=10, reference=0.5, **QUIET)

    verdict = judge(run(rng, **QUIET), slower, limit(**HALF))

    assert verdict.outcome == "inconclusive"


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("conditions", [CONDITIONS, CONDITIONS[:1]], ids=len)
def test_one_spike_is_no_regression(metric, conditions):
    rng = np.random.default_rng(12)
    baseline, candidate = (run(rng, n=200, conditions=conditions, **QUIET) for _ in range(2))
    spiked = candidate[conditions[0]].calls
    spiked[:20] *= 50

    assert judge(baseline, candidate, limit(metric, 0.1)).outcome != "regressed"


def test_an_improvement_beyond_the_margin_is_named():
    rng = np.random.default_rng(13)

    better = judge(run(rng, **QUIET), run(rng, ms=3, **QUIET), limit(value=2.0), spread=0.05)
    same = judge(run(rng, **QUIET), run(rng, **QUIET), limit(value=2.0), spread=0.05)

    assert (better.outcome, better.improved) == ("pass", True)
    assert (same.outcome, same.improved) == ("pass", False)


@pytest.mark.parametrize(("ms", "improved"), [(9.5, False), (8.0, True)])
def test_a_gain_within_the_margin_is_no_improvement(ms, improved):
    verdict = judge(still(10.0, 1.0), still(ms, 1.0), limit(value=1.0), spread=0.01)

    assert (verdict.outcome, verdict.improved) == ("pass", improved)
    assert verdict.interval[1] < 0


def test_the_very_same_run_passes_whatever_is_allowed():
    one = run(np.random.default_rng(14))

    verdict = judge(one, one, limit(value=0.0))

    assert (verdict.outcome, verdict.loss, verdict.identical) == ("pass", 0.0, True)


@pytest.mark.parametrize(("metric", "needed"), [("latency_relative", 15), ("latency_p95_ms", 120)])
def test_too_few_calls_decide_nothing(metric, needed):
    rng = np.random.default_rng(15)

    def outcome(n):
        baseline, candidate = run(rng, n=n, conditions=("clean",)), run(rng, ms=90, n=200)
        return judge(baseline, candidate, limit(metric, 0.1))

    short = outcome(needed - 1)
    assert short.outcome == "inconclusive"
    assert f"needs at least {needed}" in short.reason
    assert outcome(needed).p is not None


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0, -1.0])
@pytest.mark.parametrize("field", ["calls", "reference_calls"])
@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_a_time_that_is_none_is_an_error(side, field, bad):
    rng = np.random.default_rng(16)
    runs = {"baseline": run(rng), "candidate": run(rng)}
    getattr(runs[side]["jpeg-severity_3"], field)[3] = bad

    verdict = judge(**runs)

    assert verdict.outcome == "error"
    assert f"the {side}'s jpeg-severity_3" in verdict.reason
    assert "no positive number" in verdict.reason


def test_what_was_not_timed_is_an_error():
    rng = np.random.default_rng(17)
    baseline, candidate = run(rng), run(rng)
    without = {c: s for c, s in candidate.items() if c != "clean"}
    empty = {**candidate, "clean": LatencySample(np.empty(0), np.ones(3))}

    missing = judge(baseline, without)
    assert (missing.outcome, missing.reason) == ("error", "the candidate has not timed clean")
    assert "has no timed calls" in judge(baseline, empty).reason
    assert judge({}, {}).outcome == "error"


def test_a_single_reference_is_enough():
    """All that reports had before they kept every reference."""
    rng = np.random.default_rng(18)

    def with_median(samples):
        medians = {c: np.array([np.median(s.reference_calls)]) for c, s in samples.items()}
        return {c: LatencySample(s.calls, medians[c]) for c, s in samples.items()}

    verdict = judge(
        with_median(run(rng, n=200, conditions=("clean",), **QUIET)),
        with_median(run(rng, n=200, ms=20, conditions=("clean",), **QUIET)),
        limit(**HALF),
    )

    assert verdict.outcome == "regressed"


def test_a_stricter_level_widens_the_interval():
    rng = np.random.default_rng(19)
    runs = run(rng), run(rng)

    wide, narrow = (judge(*runs, alpha=alpha).interval for alpha in (0.01, 0.05))

    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_only_latencies_are_judged_here():
    change = AllowedChange("pixel_segf1", "max_drop", 0.02, False, "robustness.yaml:9")
    with pytest.raises(ValueError, match="pixel_segf1 is no latency"):
        judge({}, {}, change)


def test_a_drift_that_the_reference_does_not_follow_decides_nothing():
    """The same for a whole session, as large as sessions are supposed to differ."""
    rng = np.random.default_rng(20)
    outcomes = []
    for _ in range(200):
        first, second = 10 * np.exp(rng.normal(0, 0.2, 2))
        runs = run(rng, ms=first, **QUIET), run(rng, ms=second, **QUIET)
        outcomes.append(judge(*runs, limit(value=0.0)).outcome)

    assert outcomes.count("regressed") <= 0.08 * 200


def test_what_the_reference_leaves_between_machines_decides_nothing():
    rng = np.random.default_rng(21)
    outcomes = []
    for _ in range(200):
        left = np.exp(rng.normal(0, 0.2))
        runs = run(rng, **QUIET), run(rng, ms=20 * left, reference=2, **QUIET)
        outcomes.append(judge(*runs, limit(value=0.0), same_machine=False).outcome)

    assert outcomes.count("regressed") <= 0.05 * 200


@pytest.mark.parametrize("same_machine", [True, False])
def test_a_95th_percentile_among_slow_calls_decides_nothing(same_machine):
    """One run has 4 % slow calls, the other 6: its 95th percentile is one of them."""
    rng = np.random.default_rng(22)

    def with_slow(share):
        samples = run(rng, n=200, memory=20, spread=0.01, spikes=0.0)
        for sample in samples.values():
            sample.calls[rng.random(sample.calls.size) < share] *= 5
        return samples

    for _ in range(10):
        runs = with_slow(0.04), with_slow(0.06)
        verdict = judge(*runs, limit("latency_p95_ms", 0.1), same_machine=same_machine)
        assert verdict.outcome == "inconclusive"
    surely = judge(with_slow(0.01), with_slow(0.2), limit("latency_p95_ms", 0.1))
    assert surely.outcome == "regressed"


def on(samples, device, reference_device):
    return {
        c: LatencySample(s.calls, s.reference_calls, device, reference_device)
        for c, s in samples.items()
    }


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (("cuda X", "cpu"), ("cuda X", "cpu"), "its reference workload on cpu"),
        (("cpu", "cpu"), ("cuda X", "cuda X"), "on cpu in the baseline and on cuda X"),
        (("cpu", "cpu"), ("cuda X", "cpu"), "its reference workload on cpu"),
    ],
)
@pytest.mark.parametrize("same_machine", [True, False])
def test_devices_that_tell_nothing_of_each_other_are_not_compared(
    first, second, said, same_machine
):
    rng = np.random.default_rng(23)
    runs = on(run(rng, **QUIET), *first), on(run(rng, ms=90, **QUIET), *second)

    verdict = judge(*runs, same_machine=same_machine)

    assert verdict.outcome == "error"
    assert said in verdict.reason


def test_another_device_of_the_same_kind_is_another_machine():
    rng = np.random.default_rng(24)
    slower = on(run(rng, ms=60, reference=2, **QUIET), "cuda Y", "cuda Y")
    runs = on(run(rng, **QUIET), "cuda X", "cuda X"), slower

    assert "different machines" in judge(*runs, same_machine=False).reason


# ---- by hand -----------------------------------------------------------------------------------


def flat(levels, n=40):
    """Blocks of equal calls."""
    return Timings(np.array(levels, float), tuple(np.zeros(n) for _ in levels))


def test_a_session_differs_by_no_less_than_its_blocks_do():
    """The one-sided bound is that of Student's t, of one more block and not of their mean."""
    rises = np.array([0.1, 0.3, 0.2, 0.4])
    found = compare_timings(flat([0, 0, 0, 0]), flat(rises), 0.5, Doubt(0.05, 0.0, True), 0.0)

    t = stats.t.ppf(0.95, 3) * rises.std(ddof=1)
    assert found.estimate == pytest.approx(0.25)
    assert found.bounds(0.05) == pytest.approx((0.25 - t, 0.25 + t), rel=1e-4)


@pytest.mark.parametrize(
    ("same_machine", "shift", "expected"),
    [
        (True, 0.0, np.sqrt(2) * 0.2),
        (True, 0.3, np.hypot(np.sqrt(2) * 0.2, 0.3)),
        (False, 0.0, np.sqrt(3) * 0.2),
        (False, 0.4, np.hypot(np.sqrt(3) * 0.2, 0.1)),
    ],
)
def test_the_doubt_of_flat_runs_is_supposed(same_machine, shift, expected):
    doubt = Doubt(0.05, 0.2, same_machine)
    found = compare_timings(flat([0] * 3), flat([0.5] * 3), 0.95, doubt, shift)

    assert (found.below, found.above) == pytest.approx((expected, expected), rel=1e-4)
    assert found.p == pytest.approx(stats.norm.sf(0.5 / expected), rel=1e-3)


def test_times_of_four_digits_are_no_surer_than_that():
    found = compare_timings(flat([0] * 3), flat([0.5] * 3), 0.5, Doubt(0.05, 0.0, True), 0.0)

    assert (found.below, found.above) == pytest.approx((5e-4, 5e-4))


def test_a_percentile_lies_between_order_statistics():
    scatter = tuple(np.arange(160.0).reshape(40, 4).T)  # no bursts: every call counts
    still = flat([0] * 4)
    found = compare_timings(still, Timings(np.zeros(4), scatter), 0.95, Doubt(0.05, 0.0, True), 0.0)

    low = stats.binom.ppf(0.05, 160, 0.95) - 1
    high = stats.binom.ppf(0.95, 160, 0.95)
    assert found.estimate == pytest.approx(0.95 * 159)
    assert found.bounds(0.05) == pytest.approx((low, high), rel=1e-4)


@pytest.mark.parametrize(
    ("counts", "per_block", "expected"),
    [
        ((40, 40, 40), 5, (120, 3, 8)),
        ((40,), 5, (40, 8, 8)),
        ((16,), 5, (16, 3, 3)),
        ((40, 10, 40), 40, (90, 1, 2)),
        ((7,) * 26, 5, (182, 1, 8)),
    ],
)
def test_both_runs_are_cut_by_the_shorter(counts, per_block, expected):
    def sample(n):
        return LatencySample(np.ones(n), np.ones(4))

    short = [sample(n) for n in counts]
    long = [sample(n + 30) for n in counts]

    for runs in ((short, long), (long, short)):
        assert Layout.of(runs, per_block) == Layout(*expected)


def test_of_clock_and_reference_the_less_sure_decides():
    """The clock says twice the time, the reference that nothing has changed."""
    rng = np.random.default_rng(26)
    baseline = run(rng, **QUIET)
    by_clock = judge(baseline, run(rng, ms=30, **QUIET), limit(**HALF))
    disturbed = judge(baseline, run(rng, ms=30, reference=3, **QUIET), limit(**HALF))

    assert by_clock.p < 0.01
    assert disturbed.p > 0.4
    assert disturbed.interval[0] < 0 < disturbed.interval[1]


def still(ms, reference):
    """A run without any noise."""
    one = LatencySample(np.full(40, ms), np.full(10, reference))
    return dict.fromkeys(CONDITIONS, one)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("latency_ms_per_image", 60), ("latency_p95_ms", 105), ("latency_relative", 30)],
)
def test_what_is_reported_is_a_quantile_of_the_calls(metric, expected):
    """Half of all take 60 ms at most, 95 in 100 of them 105; the reference takes 2."""
    calls = np.r_[np.arange(10.0, 111, 2), np.arange(11.0, 111, 2)]  # both halves alike
    before, slower = (
        dict.fromkeys(CONDITIONS, LatencySample(times, np.full(10, 2.0)))
        for times in (calls, 2 * calls)
    )

    verdict = judge(before, slower, limit(metric))

    assert verdict.baseline == pytest.approx(expected, rel=0.02)
    assert verdict.candidate == pytest.approx(2 * verdict.baseline)
    assert verdict.loss == pytest.approx(verdict.baseline)


def test_clock_and_reference_have_both_to_be_beyond_what_is_allowed():
    """By the clock the rise is 60 %, by the reference 45 %; both are surely more than none."""
    runs = still(10.0, 1.0), still(16.0, 1.1)

    by_both = judge(*runs, limit(**HALF), spread=0.01)
    by_clock = judge(runs[0], still(16.0, 1.0), limit(**HALF), spread=0.01)

    assert by_both.p < 0.001
    assert (by_both.outcome, by_clock.outcome) == ("inconclusive", "regressed")


def test_the_interval_holds_what_clock_and_reference_leave_possible():
    verdict = judge(still(10.0, 1.0), still(16.0, 1.1), limit(**HALF))

    reach = stats.norm.ppf(0.95) * np.sqrt(2 * 0.2**2 + np.log(1.1) ** 2)
    low, high = np.log(1.6 / 1.1) - reach, np.log(1.6) + reach
    assert verdict.interval == pytest.approx((10 * np.expm1(low), 10 * np.expm1(high)), rel=1e-4)


def test_the_level_is_five_percent_unless_another_is_asked_for():
    runs = still(10.0, 1.0), still(16.0, 1.0)

    assert judge(*runs).interval == judge(*runs, alpha=0.05).interval


def test_slow_calls_in_bursts_count_as_fewer():
    """Of 40 slow calls the blocks have 16, 4, 10 and 10: by chance they would differ less."""
    slow, others = np.split(np.arange(760.0, 800), [16, 20, 30]), np.arange(760.0)
    rest = np.split(others, np.cumsum([184, 196, 190]))
    scatter = tuple(np.concatenate(parts) for parts in zip(rest, slow, strict=True))
    bursts = Timings(np.zeros(4), scatter)
    found = compare_timings(flat([0] * 4), bursts, 0.95, Doubt(0.05, 0.0, True), 0.0)

    n = int(200 / ((6**2 + 6**2) / (200 * 0.95 * 0.05) / 3))
    low = np.floor(stats.binom.ppf(0.05, n, 0.95) * 800 / n) - 1
    high = np.ceil((stats.binom.ppf(0.95, n, 0.95) + 1) * 800 / n) - 1
    assert n == 79
    assert found.bounds(0.05) == pytest.approx((low, high), rel=1e-4)
