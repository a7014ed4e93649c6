"""Every mistake ends in one line: file:line:column, what was found, what would be right."""

# ruff: noqa: E501 (lines of YAML and of messages)

from __future__ import annotations

import pytest

# Lines 1 to 6 of every file below; what is appended begins on line 7.
SINGLE = """\
schema_version: 1
dataset: {format: mvtec, root: data, category: nut}
detector: patchcore
severities: [1, 3]
accept:
  all: {bg_fpr: {max: 0.05}, one_sided: false_alarms}
"""

ACCEPT = [
    (
        "clean: {pixel_segf: {min: 0.3}}",
        "7:11: unknown metric 'pixel_segf' under accept.clean; did you mean 'pixel_segf1'?",
    ),
    (
        "clean: {pixel_segf1: {max: 0.3}}",
        "7:25: 'max' on pixel_segf1 under accept.clean: more of it is better, so it takes 'min'",
    ),
    (
        "clean: {bg_fpr: {min: 0.3}}",
        "7:20: 'min' on bg_fpr under accept.clean: less of it is better, so it takes 'max'",
    ),
    (
        "summary: {mean_drop_auroc: {min: 0.3}}",
        (
            "7:31: 'min' on mean_drop_auroc under accept.summary: less of it is better, "
            "so it takes 'max'"
        ),
    ),
    ("clean: {f1: 0.3}", "7:15: accept.clean.f1 must be {min: number}, found 0.3"),
    (
        "clean: {f1: false}",
        "7:15: accept.clean.f1 must be {min: number}, found false; null drops an inherited limit",
    ),
    ("clean: {f1: {}}", "7:15: 'min' is missing under accept.clean.f1"),
    ("clean: {f1: {min: 1.5}}", "7:21: accept.clean.f1.min must be at most 1, found 1.5"),
    ("clean: {f1: {min: .nan}}", "7:21: accept.clean.f1.min must be a finite number, found nan"),
    ("clean: {f1: {min: .inf}}", "7:21: accept.clean.f1.min must be a finite number, found inf"),
    ("clean: {f1: {min: true}}", "7:21: accept.clean.f1.min must be a number, found true"),
    ("clean: {f1: {min: '0.3'}}", "7:21: accept.clean.f1.min must be a number, found '0.3'"),
    (
        "clean: {f1: {min: 0.1, mim: 0.2}}",
        "7:26: unknown key 'mim' for f1 under accept.clean; did you mean 'min'?",
    ),
    ("clean:", "7:9: accept.clean must be a mapping, found null"),
    (
        "ligthing: {f1: {min: 0.3}}",
        "7:3: unknown corruption 'ligthing' under accept; did you mean 'lighting'?",
    ),
    (
        "blur: {severity_6: {f1: {min: 0.3}}}",
        (
            "7:10: unknown severity 'severity_6' under accept.blur; valid: severity_1 to "
            "severity_5, and what severities lists"
        ),
    ),
    (
        "blur: {severity_2: {f1: {min: 0.3}}}",
        "7:10: limit for blur-severity_2, which is not run; severities: 1, 3",
    ),
    (
        "f1: {min: 0.3}",
        (
            "7:3: metric 'f1' stands directly under accept; put it under a scope: accept.all, "
            "accept.clean or a corruption"
        ),
    ),
    (
        "worst_drop_f1: {max: 0.3}",
        "7:3: metric 'worst_drop_f1' stands directly under accept; it belongs under accept.summary",
    ),
    (
        "severity_3: {}",
        "7:3: 'severity_3' stands directly under accept; put it under a corruption",
    ),
    (
        "clean: {severity_3: {}}",
        "7:11: 'severity_3' under accept.clean: severities stand under a corruption",
    ),
    (
        "clean: {worst_drop_f1: {max: 0.3}}",
        (
            "7:11: metric 'worst_drop_f1' under accept.clean is a summary; "
            "it belongs under accept.summary"
        ),
    ),
    (
        "summary: {f1: {min: 0.3}}",
        (
            "7:13: metric 'f1' under accept.summary says nothing of a whole run; take one of: "
            "mean_corruption_f1, worst_corruption_f1, mean_drop_f1, worst_drop_f1"
        ),
    ),
    ("all: {}", "7:3: duplicate key 'all'; it stands on line 6 already"),
]

TOP = [
    ("acept: {}", "7:1: unknown key 'acept'; did you mean 'accept'?"),
    ("profils: {}", "7:1: unknown key 'profils'; did you mean 'profiles'?"),
    ("'<seed>': 1", "7:1: unknown key '<seed>'; did you mean 'seed'?"),
    ("seed: 1.5", "7:7: seed must be a whole number, found 1.5"),
    (
        "postprocess: {gaussian_sigma: 1.0e+9}",
        "7:31: postprocess.gaussian_sigma must be at most 1000, found 1000000000.0",
    ),
    ("seed: -1", "7:7: seed must be at least 0, found -1"),
    ("batch_size: '2'", "7:13: batch_size must be a whole number, found '2'"),
    ("limit_test: 0", "7:13: limit_test must be at least 1, found 0"),
    ("aupro_limit: 1.5", "7:14: aupro_limit must be at most 1, found 1.5"),
    ("image_budget: 0", "7:15: image_budget must be at least 1, found 0"),
    ("pixel_segf1: no", "7:14: pixel_segf1 must be true or false, found 'no'"),
    ("name: 5", "7:7: name must be text, found 5; write it in quotes"),
    (
        "name: session",
        (
            "7:7: a benchmark cannot be called 'session': its files would overwrite those that every "
            "run has of its own"
        ),
    ),
    (
        "name: große Nuss",
        (
            "7:7: benchmark name 'große Nuss' becomes part of test ids and file names: use ASCII "
            "letters, digits, '_', '.' and '-', and name the category under dataset or the detector "
            "under detectors"
        ),
    ),
    (
        "corruptions: []",
        (
            "7:14: corruptions is empty; leave it out to run all five, or write 'none' to run clean "
            "alone"
        ),
    ),
    (
        "corruptions: blur",
        "7:14: corruptions must be a list of names or mappings, or none, found 'blur'",
    ),
    ("corruptions: [blur, blur]", "7:21: corruptions lists 'blur' twice"),
    (
        "corruptions: [blur, ligthing]",
        "7:21: unknown corruption 'ligthing' in corruptions; did you mean 'lighting'?",
    ),
    (
        "corruptions: [blur, 'my.noise:blur']",
        "7:21: corruptions 'blur' and 'my.noise:blur' would both be called 'blur'",
    ),
    (
        "corruptions: [clean]",
        "7:15: 'clean' is no corruption; it is always run, so leave it out of corruptions",
    ),
    (
        "corruptions: ['my.noise:all']",
        (
            "7:15: corruption 'my.noise:all' would be called 'all' in test ids; call it something "
            "else, in letters, digits and underscores"
        ),
    ),
    (
        "corruptions: ['my noise:rain']",
        "7:15: 'my noise:rain' is not of the form package.module:name",
    ),
    (
        "measure_only: [blurr]",
        "7:16: unknown condition 'blurr' in measure_only; did you mean 'blur'?",
    ),
    (
        "measure_only: [blur-severity_2]",
        (
            "7:16: unknown condition 'blur-severity_2' in measure_only; did you mean "
            "'blur-severity_3'?"
        ),
    ),
    ("measure_only: clean", "7:15: measure_only must be a list, found 'clean'"),
    (
        "calibration: {pixel_normal_quantile: 1}",
        "7:38: calibration.pixel_normal_quantile must be strictly between 0 and 1, found 1",
    ),
    (
        "calibration: {image_normal_quantile: 0.0}",
        "7:38: calibration.image_normal_quantile must be strictly between 0 and 1, found 0.0",
    ),
    (
        "calibration: {method: crosfit}",
        (
            "7:23: calibration.method must be holdout or crossfit, found 'crosfit'; "
            "did you mean 'crossfit'?"
        ),
    ),
    ("calibration: {folds: 1}", "7:22: calibration.folds must be at least 2, found 1"),
    (
        "calibration: {fold: 3}",
        "7:15: unknown key 'fold' under calibration; did you mean 'folds'?",
    ),
    (
        "operating_point: {pixel_threshold: 1}",
        "7:18: 'image_threshold' is missing under operating_point",
    ),
    (
        "operating_point: {file: a.json, image_threshold: 1}",
        "7:18: operating_point takes numbers or a file, not both",
    ),
    (
        "operating_point: 5",
        "7:18: operating_point must be the name of a file, or a mapping, found 5",
    ),
    ("regression: {f1: {max_drop: 0.1}}", "7:13: 'baseline' is missing under regression"),
    (
        "regression: {baseline: b.json, f1: {max_rise: 0.1}}",
        "7:37: 'max_rise' on f1 under regression: more of it is better, so it takes 'max_drop'",
    ),
    (
        "regression: {baseline: b.json, auproc: {max_drop: 0.1}}",
        "7:32: unknown metric or setting 'auproc' under regression; did you mean 'auroc'?",
    ),
    (
        "regression: {baseline: '{category}.json', f1: {max_drop: 0.1}, one_sided: misses}",
        "7:24: regression.baseline may hold {name} and {profile} in braces, found '{category}.json'",
    ),
    (
        "regression: {baseline: b.json, anchor: '{0}.json', f1: {max_drop: 0.1}, one_sided: misses}",
        "7:40: regression.anchor may hold {name} and {profile} in braces, found '{0}.json'",
    ),
    (
        "regression: {baseline: b.json, anchor: b.json, f1: {max_drop: 0.1}, one_sided: misses}",
        "7:40: regression.anchor is the baseline itself; name a report that stays when the baseline is replaced, or leave anchor out",
    ),
    (
        "regression: {baseline: b.json, anchor: ./x/../b.json, f1: {max_drop: 0.1}, one_sided: misses}",
        "7:40: regression.anchor is the baseline itself; name a report that stays when the baseline is replaced, or leave anchor out",
    ),
    (
        "regression: {baseline: b.json, min_overlap: 0.9}",
        "7:13: regression names no metric, so that nothing would be judged; declare miss_rate: {max_rise: 0.05} and false_reject_rate: {max_rise: 0.05}",
    ),
    (
        "regression: {baseline: b.json, f1: null}",
        "7:13: regression names no metric, so that nothing would be judged; declare miss_rate: {max_rise: 0.05} and false_reject_rate: {max_rise: 0.05}",
    ),
    (
        "regression: {baseline: b.json, average_precision: {max_drop: 0.1}}",
        "7:32: 'average_precision' under regression is not supported; take auroc, which ranks the same scores",
    ),
    (
        "regression: {baseline: b.json, pixel_auroc: {max_drop: 0.1}}",
        "7:32: 'pixel_auroc' under regression needs every pixel's score, which no report holds; compare pixel_segf1, pixel_segf1_per_image, bg_fpr or normal_fpr",
    ),
    (
        "regression: {baseline: b.json, f1: {max_drop: 2}, one_sided: misses}",
        "7:47: regression.f1.max_drop of 2 is the whole range of f1: nothing could ever fail; write less",
    ),
    (
        "regression: {baseline: b.json, bg_fpr: {max_rise: 1}, one_sided: false_alarms}",
        "7:51: regression.bg_fpr.max_rise of 1 is the whole range of bg_fpr: nothing could ever fail; write less",
    ),
    (
        "regression: {baseline: b.json, f1: {max_drop: 5, relative: true}, one_sided: misses}",
        "7:47: regression.f1.max_drop of 5 with relative: true allows all of the value to be lost: nothing could ever fail; write 0.05 for 5 %",
    ),
    (
        "regression: {baseline: b.json, auroc: {max_drop: 0.1}, false_reject_rate: {max_rise: 0.1}}",
        "7:13: regression: no limit sees misses: a detector that calls nothing defective may keep all of them; declare miss_rate, or write one_sided: false_alarms beside the limits",
    ),
    (
        "regression: {baseline: b.json, bg_fpr: {max_rise: 0.1}, miss_rate: {max_rise: 0.1}}",
        "7:13: regression: no limit on whole images sees false alarms (pixels do not say which parts are rejected): a detector that calls everything defective may keep all of them; declare false_reject_rate, or write one_sided: misses beside the limits",
    ),
    (
        "regression: {baseline: b.json, auroc: {max_drop: 0.1}, one_sided: misses}",
        "7:13: regression: one_sided: misses is said, but no limit sees misses: declare miss_rate",
    ),
    (
        "regression: {baseline: b.json, latency_relative: {max_rise: 0.1}}",
        "7:13: regression: no limit sees a wrong decision: declare miss_rate and false_reject_rate",
    ),
    (
        "regression: {baseline: b.json, recall: {max_drop: 0.1}, specificity: {max_drop: 0.1}, one_sided: misses}",
        "7:87: one_sided is said, but the limits see both sides: drop it",
    ),
    (
        "regression: {baseline: b.json, f1: {max_drop: 0}, one_sided: misses}",
        "7:47: regression.f1.max_drop of 0 allows no loss at all, and no finite test set can show that: say how much may be lost, such as 0.02",
    ),
    (
        "regression: {baseline: b.json, f1: {max_drop: -0.1}}",
        "7:47: regression.f1.max_drop must be at least 0, found -0.1",
    ),
    (
        "regression: {baseline: b.json, latency_relative: {max_drop: 1}}",
        "7:51: 'max_drop' on latency_relative under regression: less of it is better, so it takes 'max_rise'",
    ),
    (
        "regression: {baseline: b.json, min_overlp: 0.9}",
        "7:32: unknown metric or setting 'min_overlp' under regression; did you mean 'min_overlap'?",
    ),
    (
        "regression: {baseline: b.json, min_overlap: 0}",
        "7:45: regression.min_overlap must be greater than 0, found 0",
    ),
    (
        "regression: {baseline: b.json, min_overlap: 90}",
        "7:45: regression.min_overlap must be at most 1, found 90",
    ),
    (
        "regression: {baseline: b.json, strict_pixels: yes}",
        "7:47: regression.strict_pixels must be true or false, found 'yes'",
    ),
    (
        "regression: {baseline: b.json, inconclusive: pass}",
        "7:46: regression.inconclusive must be skip or fail, found 'pass'",
    ),
    (
        "regression: {baseline: 3}",
        "7:24: regression.baseline must be text, found 3; write it in quotes",
    ),
    (
        "detectors: {fixture: patchcore}",
        "7:13: a detector cannot be called 'fixture'; that name is taken",
    ),
    ("detectors: {v7: {preset: a}}", "7:17: 'name' is missing under detectors.v7"),
    (
        "detectors: {v7: {name: patchcor}}",
        "7:24: unknown detector 'patchcor'; did you mean 'patchcore'?",
    ),
    (
        "detectors: {v7: {name: patchcore, preset: industrial-fats}}",
        "7:43: unknown preset 'industrial-fats'; did you mean 'industrial-fast'?",
    ),
    (
        "detectors: {v7: {name: patchcore, kwargs: {a: [1, .nan]}}}",
        "7:43: detectors.v7.kwargs holds NaN or infinity, which no report can carry",
    ),
    (
        "profiles: {pr: {severities: [9]}}",
        "7:30: unknown severity 9; it is a number above 0, at most 5",
    ),
    (
        "profiles: {pr: {severitys: [1]}}",
        "7:17: unknown key 'severitys'; did you mean 'severities'?",
    ),
    (
        "profiles: {pr: {severities: [1], accept: {blur: {severity_3: {f1: {min: 0.1}}}}}}",
        "7:50: limit for blur-severity_3, which is not run; severities: 1 (in profile 'pr')",
    ),
    (
        "profiles: {pr: {measure_only: [clean, lighting, jpeg, blur, glare, geo_jitter]}}",
        "7:31: no condition is left that any limit would judge: measure_only names all of them (in profile 'pr')",
    ),
    ("defaults: {seed: x}", "7:18: seed must be a whole number, found 'x'"),
    (
        "corruptions: ${WHICH}",
        (
            "7:14: corruptions is needed to collect the tests: environment "
            "variable 'WHICH' is not set; set it, or give a default: ${WHICH:-default}"
        ),
    ),
    (
        "x-y: 1\nlimit_test: ${N-3}",
        "8:13: '${N-3}' is neither ${VAR} nor ${VAR:-default}; write $$ for a dollar sign",
    ),
]


@pytest.mark.parametrize(("line", "expected"), ACCEPT)
def test_a_mistake_under_accept_is_named_with_its_place(complaints, line, expected):
    assert complaints(f"{SINGLE}  {line}\n") == [f"robustness.yaml:{expected}"]


@pytest.mark.parametrize(("line", "expected"), TOP)
def test_a_mistake_at_the_top_level_is_named_with_its_place(complaints, line, expected):
    assert f"robustness.yaml:{expected}" in complaints(f"{SINGLE}{line}\n")


WAIVER = "condition: clean, metric: bg_fpr, reason: new lamp, by: Ada"
WAIVERS = [
    ("waivers: 3", "7:10: waivers must be a list, found 3"),
    ("waivers: [bg_fpr]", "7:11: waivers must be a mapping, found 'bg_fpr'"),
    (f"waivers: [{{{WAIVER}}}]", "7:11: 'until' is missing under waivers"),
    (
        f"waivers: [{{{WAIVER}, until: 31.12.2026}}]",
        "7:80: waivers.until must be a date such as 2026-03-31, found '31.12.2026'",
    ),
    (
        f"waivers: [{{{WAIVER}, until: 2026-02-30}}]",
        "7:80: waivers.until must be a date such as 2026-03-31, found '2026-02-30'",
    ),
    (
        f"waivers: [{{{WAIVER}, until: 2026}}]",
        "7:80: waivers.until must be a date such as 2026-03-31, found 2026",
    ),
    (
        "waivers: [{condition: clean, metric: bg_fpr, reason: ' ', by: Ada, until: 2026-03-31}]",
        "7:54: waivers.reason must be text, found ' '",
    ),
    (
        "waivers: [{condition: clean, metric: bg_fpr, reason: a, by: '', until: 2026-03-31}]",
        "7:61: waivers.by must be text, found ''",
    ),
    (
        f"waivers: [{{{WAIVER}, until: 2026-03-31, untill: x}}]",
        "7:92: unknown key 'untill' under waivers; did you mean 'until'?",
    ),
    (
        f"waivers: [{{{WAIVER.replace('clean', 'blur-severity_2')}, until: 2026-03-31}}]",
        "7:23: unknown condition 'blur-severity_2' in waivers; did you mean 'blur-severity_3'?",
    ),
    (
        f"waivers: [{{{WAIVER.replace('bg_fpr', 'bg_fp')}, until: 2026-03-31}}]",
        "7:38: nothing to waive: no limit on 'bg_fp' binds clean; did you mean 'bg_fpr'?",
    ),
    (
        f"waivers: [{{{WAIVER.replace('bg_fpr', 'f1')}, until: 2026-03-31}}]",
        "7:38: nothing to waive: no limit on 'f1' binds clean; valid: bg_fpr",
    ),
    (
        f"waivers: [{{{WAIVER.replace('clean', 'summary')}, until: 2026-03-31}}]",
        "7:40: nothing to waive: no limit on 'bg_fpr' binds summary",
    ),
    (
        f"waivers: [{{{WAIVER}, until: 2026-03-31}}, {{{WAIVER}, until: 2027-03-31}}]",
        "7:120: bg_fpr under clean is waived twice; keep one of them",
    ),
    (
        f"profiles: {{pr: {{corruptions: none, waivers: [{{{WAIVER.replace('clean', 'blur-severity_1')}, until: 2026-03-31}}]}}}}",
        "7:58: unknown condition 'blur-severity_1' in waivers; valid: clean, summary (in profile 'pr')",
    ),
]


@pytest.mark.parametrize(("line", "expected"), WAIVERS)
def test_a_mistake_in_a_waiver_is_named_with_its_place(complaints, line, expected):
    assert complaints(f"{SINGLE}{line}\n") == [f"robustness.yaml:{expected}"]


DATA = [
    (
        "dataset: {format: mvtech, root: x}",
        "2:19: unknown dataset format 'mvtech'; did you mean 'mvtec'?",
    ),
    (
        "dataset: {root: x}",
        (
            "2:10: 'format' is missing under dataset; valid: btad, folder, kolektor, manifest, "
            "mvtec, mvtec_3d, mvtec_ad, mvtec_ad2, mvtec_loco, synthetic, visa"
        ),
    ),
    (
        "dataset: {format: mvtec}",
        "2:10: 'root' is missing under dataset: the folder that holds the categories",
    ),
    (
        "dataset: {format: mvtec, root: x, size: 3}",
        "2:35: the mvtec format has no option 'size'; did you mean 'resize'?",
    ),
    (
        "dataset: {format: folder, normal_dirs: x}",
        "2:27: unknown key 'normal_dirs' under dataset; did you mean 'normal_dir'?",
    ),
    (
        "dataset: {format: mvtec, root: x, <resize>: 3}",
        "2:35: unknown key '<resize>' under dataset; did you mean 'resize'?",
    ),
    (
        "dataset: {format: mvtec, root: x, resize: [256]}",
        "2:43: dataset.resize is too short: item 2 is missing",
    ),
    (
        "dataset: {format: mvtec, root: x, resize: [256, 0]}",
        "2:49: dataset.resize must be at least 1, found 0",
    ),
    (
        "dataset: {format: mvtec, root: 7}",
        "2:32: dataset.root must be text, found 7; write it in quotes",
    ),
    ("dataset: mvtec", "2:10: dataset must be a mapping, or fixture, found 'mvtec'"),
]
DETECTORS = [
    ("detector: pachcore", "2:11: unknown detector 'pachcore'; did you mean 'patchcore'?"),
    ("detector: 'my:'", "2:11: 'my:' is not of the form package.module:factory"),
    ("detector: []", "2:11: detector is empty; name at least one"),
    ("detector: 5", "2:11: detector must be a name, a mapping, or a list of them, found 5"),
    (
        "detector: {name: patchcore, kwarg: {}}",
        "2:29: unknown key 'kwarg' under detector; did you mean 'kwargs'?",
    ),
    (
        "detector: {name: fixture, preset: a}",
        "2:27: 'preset' has no effect on a fixture: conftest.py makes that detector",
    ),
    (
        "detector: {name: 'a:b', fitted: yes}",
        "2:33: detector.fitted must be true or false, found 'yes'",
    ),
    (
        "detector: {name: 'a:b', fitted: true}",
        (
            "2:33: fitted: true needs calibration.images (normal images the detector never saw) or an "
            "operating_point: on its own train images a fitted detector scores far too low, and a "
            "threshold from them gives about ten times the promised false positives"
        ),
    ),
    (
        "detector: [patchcore, 'a:b']",
        (
            "1:1: benchmark name 'benchmark-a:b' becomes part of test ids and file names (it holds "
            "':'): use ASCII letters, digits, '_', '.' and '-', and name the category under dataset "
            "or the detector under detectors"
        ),
    ),
]


@pytest.mark.parametrize(("line", "expected"), DATA)
def test_a_mistake_in_the_dataset_is_named_with_its_place(complaints, line, expected):
    rest = "detector: patchcore\naccept: {all: {f1: {min: 0.1}, one_sided: misses}}\n"
    assert complaints(f"schema_version: 1\n{line}\n{rest}") == [f"robustness.yaml:{expected}"]


@pytest.mark.parametrize(("line", "expected"), DETECTORS)
def test_a_mistake_in_the_detector_is_named_with_its_place(complaints, line, expected):
    rest = "dataset: {format: synthetic}\naccept: {all: {f1: {min: 0.1}, one_sided: misses}}\n"
    assert complaints(f"schema_version: 1\n{line}\n{rest}") == [f"robustness.yaml:{expected}"]


def test_a_limit_for_a_corruption_that_is_not_run_is_an_error(complaints):
    text = f"{SINGLE}  glare: {{f1: {{min: 0.1}}}}\ncorruptions: [blur, jpeg]\n"
    assert complaints(text) == [
        "robustness.yaml:7:3: limit for glare, which is not run; corruptions: blur, jpeg"
    ]


def test_measure_only_naming_a_corruption_that_is_not_run_is_an_error(complaints):
    text = f"{SINGLE}corruptions: [blur]\nmeasure_only: [glare]\n"
    assert complaints(text) == [
        "robustness.yaml:8:16: measure_only names 'glare', which is not run; run: clean, blur"
    ]


def test_measure_only_and_a_limit_of_its_own_contradict_each_other(complaints):
    text = f"{SINGLE}  glare: {{f1: {{min: 0.1}}}}\nmeasure_only: [glare]\n"
    assert complaints(text) == [
        (
            "robustness.yaml:8:16: measure_only names 'glare', but accept.glare declares limits; "
            "drop one of them"
        )
    ]


def test_conditions_that_no_limit_reaches_are_named(complaints):
    text = """\
        schema_version: 1
        dataset: fixture
        detector: fixture
        corruptions: [blur, glare]
        severities: [1, 3]
        accept:
          blur: {severity_3: {f1: {min: 0.1}, one_sided: misses}}
    """
    assert complaints(text) == [
        (
            "robustness.yaml:7:3: no limit reaches clean, blur-severity_1, glare: declare one under "
            "accept, or name it in measure_only"
        )
    ]


def test_a_dropped_limit_leaves_its_condition_unreached(complaints):
    assert complaints(f"{SINGLE}  clean: {{bg_fpr: null}}\n") == [
        (
            "robustness.yaml:6:3: no limit reaches clean: declare one under accept, or name it in "
            "measure_only"
        )
    ]


def test_limits_on_a_metric_that_is_switched_off_are_errors(complaints):
    text = SINGLE + (
        "  blur: {severity_3: {pixel_segf1: {min: 0.1}}}\n"
        "  summary: {worst_corruption_pixel_segf1: {min: 0.1}}\n"
        "pixel_segf1: false\n"
    )
    assert complaints(text) == [
        (
            "robustness.yaml:7:23: limit on pixel_segf1 under accept.blur.severity_3, but pixel_segf1 "
            "is switched off"
        ),
        (
            "robustness.yaml:8:13: limit on worst_corruption_pixel_segf1 under accept.summary, but "
            "pixel_segf1 is switched off"
        ),
    ]


def test_a_single_benchmark_and_several_exclude_each_other(complaints):
    assert complaints(f"{SINGLE}benchmarks: {{nut: {{}}}}\n") == [
        f"robustness.yaml:{line}:1: {key!r} stands beside benchmarks; move it into one of them, or "
        "to defaults"
        for line, key in enumerate(["dataset", "detector", "severities", "accept"], start=2)
    ]


def test_two_benchmarks_must_not_share_a_report_file(complaints):
    text = """\
        schema_version: 1
        defaults: {dataset: fixture, accept: {all: {f1: {min: 0.1}, one_sided: misses}}}
        detectors: {v7: patchcore}
        benchmarks:
          nut: {detector: [v7]}
          Nut-v7: {detector: v7}
    """
    assert complaints(text) == [
        "robustness.yaml:6:3: benchmarks 'nut-v7' and 'Nut-v7' would write the same report file"
    ]


def test_a_mistake_in_the_defaults_is_told_once_even_if_overridden(complaints):
    text = """\
        schema_version: 1
        defaults: {dataset: fixture, detector: fixture, severities: [9], accept: {all: {f1: {min: 0.001}, one_sided: misses}}}
        benchmarks:
          a: {severities: [1]}
          b: {severities: [2]}
    """
    assert complaints(text) == [
        "robustness.yaml:2:62: unknown severity 9; it is a number above 0, at most 5"
    ]


def test_every_problem_is_listed_in_the_order_of_the_file(complaints):
    text = """\
        schema_version: 1
        sed: 3
        defaults: {dataset: {format: mvtec, root: data}, detector: patchcor}
        benchmarks:
          nut:
            accept: {all: {f1: {max: 0.5}, one_sided: misses}}
          grid:
            corruptions: [blur]
            accept: {all: {f1: {min: 0.5}, one_sided: misses}, glare: {f1: {min: 0.1}}}
    """
    assert complaints(text) == [
        "robustness.yaml:2:1: unknown key 'sed'; did you mean 'seed'?",
        "robustness.yaml:3:60: unknown detector 'patchcor'; did you mean 'patchcore'?",
        (
            "robustness.yaml:6:25: 'max' on f1 under accept.all: more of it is better, "
            "so it takes 'min'"
        ),
        "robustness.yaml:9:56: limit for glare, which is not run; corruptions: blur",
    ]


def test_what_every_benchmark_needs_is_asked_for(complaints):
    text = "schema_version: 1\naccept: {all: {f1: {min: 0.5}, one_sided: misses}}\n"
    assert complaints(text) == [
        "robustness.yaml:1:1: 'dataset' is missing; give a mapping with a format, or fixture",
        "robustness.yaml:1:1: 'detector' is missing; give a name, a mapping, or fixture",
    ]


def test_a_later_schema_version_is_told_before_anything_else(complaints):
    assert complaints("schema_version: 2\nfuture: {}\n") == [
        "robustness.yaml:1:17: schema_version 2 is not known to this release; it reads 1"
    ]


def test_the_schema_version_is_required(complaints):
    assert "robustness.yaml:1:1: 'schema_version' is missing" in complaints("name: nut\n")


def test_an_unknown_profile_is_told_with_the_nearest_name(load):
    with pytest.raises(Exception, match=r"unknown profile 'nightl'; did you mean 'nightly'?"):
        load(SINGLE + "profiles: {pr: {}, nightly: {}}\n", profile="nightl")
    with pytest.raises(Exception, match="the file declares no profiles"):
        load(SINGLE, profile="pr")
