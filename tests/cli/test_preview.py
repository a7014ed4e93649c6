"""``pytest-robustbench preview``: which images, which corruptions, and what is written."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

import pytest_robustbench as rb
from pytest_robustbench.cli.commands import preview
from pytest_robustbench.cli.commands.preview import _examples
from pytest_robustbench.cli.main import main
from pytest_robustbench.config.loader import load_config
from pytest_robustbench.datasets.pictures.resizing import resize_image, resize_mask
from pytest_robustbench.datasets.pictures.store import PictureStore
from pytest_robustbench.reports.pages import extras
from pytest_robustbench.reports.pages.drawing import shrunk
from pytest_robustbench.reports.preview.sheet import LARGEST, preview_sheet
from tests.extras import needs_pages

DATA = ["--dataset", "mvtec", "--root", "data", "--category", "bottle", "--resize", "0", "0"]
QUICK = [*DATA, "--corruptions", "blur", "--severities", "2", "5"]
MARKUP = '"><script>alert(1)</script>'
YAML = """\
schema_version: 1
dataset: {format: mvtec, root: data, category: bottle}
detector: pixel_gaussian
severities: [1, 5]
seed: 3
corruptions:
  - "weather:rain": {level: 7}
  - {lighting: {direction: darker}, name: dusk}
  - compose: [blur, geo_jitter]
accept: {all: {bg_fpr: {max: 0.5}, one_sided: false_alarms}}
profiles:
  pr: {severities: [4]}
"""
RAIN = """\
def rain(image, mask, severity, rng, *, level):
    wet = image.copy()
    wet[::8] = level * severity
    return wet, mask
"""
TWO = """\
schema_version: 1
defaults: {dataset: {format: mvtec, root: data}, detector: pixel_gaussian, severities: [1]}
benchmarks:
  one: {dataset: {category: bottle}, corruptions: [jpeg], measure_only: [clean, jpeg]}
  two: {dataset: {category: bottle}, corruptions: [blur], measure_only: [clean, blur]}
  bare: {dataset: {category: bottle}, corruptions: none, measure_only: [clean]}
"""


@pytest.fixture
def call(bottles, capsys):
    """Run the command beside ./data/bottle; return exit code and standard error."""

    def called(*arguments):
        code = main(["preview", *map(str, arguments)])
        captured = capsys.readouterr()
        assert captured.out == ""
        return code, captured.err

    return called


@pytest.fixture
def choices(monkeypatch):
    """What the command has chosen to show."""
    seen = []

    def watched(choice):
        seen.append(choice)
        return preview_sheet(choice)

    monkeypatch.setattr("pytest_robustbench.reports.preview.sheet.preview_sheet", watched)
    return seen


class Page(HTMLParser):
    """The pictures of a page, the tags it holds, and its text."""

    def __init__(self, text):
        super().__init__()
        self.pictures, self.tags, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "img":
            self.pictures.append(dict(attrs))

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def test_limits_that_the_test_set_is_too_small_to_show_are_told(call, tmp_path):
    limits = "{bg_fpr: {max: 0.5}, miss_rate: {max: 0.05}, false_reject_rate: {max: 0.9}}"
    text = YAML.replace("{bg_fpr: {max: 0.5}, one_sided: false_alarms}", limits)
    text = re.sub(r"corruptions:\n(  - .*\n)+", "corruptions: [blur]\n", text)
    (tmp_path / "robustness.yaml").write_text(text)
    code, told = call("--config", "robustness.yaml")
    assert code == 0
    assert told.count("takes 59 defect images, none of them wrong, to be shown at 95 %") == 1
    assert "miss_rate max 0.05 (robustness.yaml:7)" in told
    assert "false_reject_rate" not in told


def sheet_of(choices):
    return preview_sheet(choices[-1])


@needs_pages
def test_a_sheet_and_a_page_are_written_and_named(call, tmp_path):
    code, err = call(*QUICK)

    assert code == 0
    assert err.splitlines() == [
        "wrote robustness-preview/preview.png",
        "wrote robustness-preview/preview.html",
    ]
    sheet = cv2.imread(str(tmp_path / "robustness-preview/preview.png"))
    assert sheet.shape[1] <= 1600
    assert (sheet[:10] == 255).all()
    assert len(np.unique(sheet)) > 50


@needs_pages
def test_the_page_has_every_picture_with_words_for_it(call, tmp_path):
    call(*QUICK, "--output-dir", "out")

    page = Page((tmp_path / "out/preview.html").read_text(encoding="utf-8"))
    assert [one["alt"] for one in page.pictures] == [
        f"test/{part}/000, blur, {label}"
        for part in ("crack", "good")
        for label in ("clean", "severity 2", "severity 5")
    ]
    assert all(one["src"].startswith("data:image/jpeg;base64,") for one in page.pictures)
    assert "sigma 4 px at 256" in page.text
    assert "mean change" in page.text
    assert "2 images, 1 corruption, 2 severities; seed 0" in page.text


@pytest.mark.parametrize("corruption", ["lighting", "geo_jitter"])
def test_pictures_are_those_of_the_benchmark(call, choices, corruption):
    call(*DATA, "--corruptions", corruption, "--seed", "5", "--resize", "24", "30")

    split = rb.load_split("mvtec", root="data", category="bottle", resize=(24, 30))
    samples = {sample.id: sample for sample in split.test}
    store = PictureStore(split.resize)
    for block in sheet_of(choices).blocks:
        picture, source = store.load_both(samples[block.title])
        (row,) = block.rows
        assert np.array_equal(row.tiles[0].image, picture.image)
        for severity, tile in enumerate(row.tiles[1:], start=1):
            made = rb.corrupt(
                source.resized(None).image,
                source.mask,
                corruption,
                severity=severity,
                seed=5,
                sample_id=block.title,
            )
            assert tile.label == f"severity {severity}"
            assert np.array_equal(tile.image, resize_image(made.image, (24, 30)))
            for shown, part in ((tile.mask, made.mask), (tile.ignored, made.ignored)):
                expected = None if part is None else resize_mask(part, (24, 30))
                assert np.array_equal(shown, expected)


def test_a_configuration_brings_its_own_corruptions(call, choices, tmp_path):
    (tmp_path / "weather.py").write_text(RAIN)
    (tmp_path / "robustness.yaml").write_text(YAML)

    code, _ = call("--config", "robustness.yaml")

    blocks = sheet_of(choices).blocks
    rows = {row.name: row.tiles for row in blocks[0].rows}
    assert code == 0
    assert list(rows) == ["rain", "dusk", "blur_geo_jitter"]
    assert [tile.label for tile in rows["rain"]] == ["clean", "severity 1", "severity 5"]
    assert (rows["rain"][2].image[::8] == 35).all()
    assert ", darker" in rows["dusk"][2].notes[-1]
    composed = rb.corrupt(
        rows["dusk"][0].image,
        rows["dusk"][0].mask,
        {"compose": ["blur", "geo_jitter"]},
        severity=5,
        seed=3,
        sample_id=blocks[0].title,
    )
    assert np.array_equal(rows["blur_geo_jitter"][2].image, composed.image)
    told = "up to 12°, 8 % shift, 12 % scale, sigma 4 px at 256"
    assert rows["blur_geo_jitter"][2].notes[0] == told


def test_a_profile_applies(call, choices, tmp_path):
    (tmp_path / "weather.py").write_text(RAIN)
    (tmp_path / "robustness.yaml").write_text(YAML)

    assert call("--config", "robustness.yaml", "--profile", "pr")[0] == 0

    assert [tile.label for tile in sheet_of(choices).blocks[0].rows[0].tiles] == [
        "clean",
        "severity 4",
    ]


@needs_pages
def test_every_benchmark_has_a_sheet_and_all_share_a_page(call, tmp_path):
    (tmp_path / "r.yaml").write_text(TWO)

    code, err = call("--config", "r.yaml", "--output-dir", "out")

    assert code == 0
    assert "bare: left out: it runs no corruption\n" in err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"preview-one.png", "preview-two.png", "preview.html"}
    page = Page((tmp_path / "out/preview.html").read_text(encoding="utf-8"))
    assert len(page.pictures) == 2 * 2 * 2
    assert {"one", "two"} <= set(page.words)


def test_one_benchmark_is_named(call, choices, tmp_path):
    (tmp_path / "r.yaml").write_text(TWO)

    assert call("--config", "r.yaml", "--benchmark", "two", "--output-dir", "out")[0] == 0

    assert [choice.name for choice in choices] == ["two"]
    assert (tmp_path / "out/preview.png").is_file()


def test_images_are_chosen_by_their_ids(call, choices):
    assert call(*QUICK, "--images", "test/good/003", "test/crack/001", "test/good/003")[0] == 0

    titles = [block.title for block in sheet_of(choices).blocks]
    assert titles == ["test/good/003", "test/crack/001"]


def test_defect_and_normal_images_are_chosen_in_turn(call, choices):
    assert call(*QUICK, "--n-images", "3")[0] == 0

    titles = [block.title for block in sheet_of(choices).blocks]
    assert titles == ["test/crack/000", "test/good/000", "test/crack/001"]


def test_every_kind_of_defect_has_its_turn_and_masks_come_first():
    image = np.zeros((4, 4), np.uint8)

    def defect(name, kind, mask=image):
        return rb.Sample(name, 1, image, mask, kind)

    test = [
        defect("a", "hole", None),
        defect("d", "scratch"),
        defect("b", "crack"),
        defect("c", "crack"),
    ]
    assert [sample.id for sample in _examples(test, 9)] == ["b", "d", "c", "a"]


def test_outlines_can_be_left_out(call, choices):
    call(*QUICK)
    assert sheet_of(choices).blocks[0].rows[0].tiles[1].mask is not None
    assert "outline" in " ".join(sheet_of(choices).legend)

    call(*QUICK, "--no-outline")
    assert sheet_of(choices).blocks[0].rows[0].tiles[1].mask is None
    assert "outline" not in " ".join(sheet_of(choices).legend)


def test_an_image_that_leaves_the_frame_is_said_to_be_left_out(call, choices, tmp_path):
    far = "{geo_jitter: {severity_3: {shift_percent: 12, scale_percent: 12}}, name: far}"
    text = YAML.replace('"weather:rain": {level: 7}', far).replace("seed: 3", "seed: 0")
    (tmp_path / "r.yaml").write_text(text)
    ids = [f"test/crack/{i:03d}" for i in range(6)]

    assert call("--config", "r.yaml", "--images", *ids)[0] == 0

    choice = choices[-1]
    masks = PictureStore(choice.resize)
    expected = [
        choice.corruptions["far"].leaves_out(masks.load(s).mask, seed=0, sample_id=s.id)
        for s in choice.samples
    ]
    remarks = [block.rows[0].remark for block in sheet_of(choices).blocks]
    assert [bool(remark) for remark in remarks] == expected
    assert any(expected)
    assert not all(expected)
    assert {remark for remark in remarks if remark} == {
        (
            "The benchmark leaves this image out of far, at every severity: at the severest "
            "less than half of its defect stays in the frame."
        )
    }


@needs_pages
def test_names_with_markup_stay_text(call, tmp_path, bottles, monkeypatch):
    def hostile(choice):
        sheet = preview_sheet(choice)
        block = sheet.blocks[0]
        renamed = type(block)(MARKUP, MARKUP, block.rows)
        return type(sheet)(MARKUP, MARKUP, (MARKUP,), (renamed,))

    monkeypatch.setattr("pytest_robustbench.reports.preview.sheet.preview_sheet", hostile)
    assert call(*QUICK, "--output-dir", "out")[0] == 0

    page = Page((tmp_path / "out/preview.html").read_text(encoding="utf-8"))
    assert page.tags.count("script") == 1  # the page's own
    assert page.pictures[0]["alt"] == f"{MARKUP}, blur, clean"
    assert page.text.count("alert(1)") >= 5


def test_without_the_extra_the_sheet_is_written_alone(call, tmp_path, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "jinja2" else True)

    code, err = call(*QUICK, "--output-dir", "out")

    assert code == 0
    assert err.splitlines() == [
        "wrote out/preview.png",
        (
            "no out/preview.html: jinja2 is not installed, which pages need: "
            'pip install "pytest-robustbench[report]"'
        ),
    ]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["preview.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--dataset, --root, --category missing: name the data, or a YAML with --config"),
        (
            [*QUICK, "--images", "test/crack/01"],
            "bottle: no test image is called 'test/crack/01'; did you mean 'test/crack/001'?",
        ),
        (
            [*QUICK, "--images", "xyz"],
            (
                "bottle: no test image is called 'xyz'; valid: 'test/crack/000', "
                "'test/crack/001', 'test/crack/002' and 9 more"
            ),
        ),
        (
            [*QUICK, "--images", "a", "--n-images", "1"],
            "give --images or --n-images, not both",
        ),
        ([*QUICK, "--n-images", "0"], "--n-images must be at least 1, not 0"),
        ([*QUICK, "--benchmark", "x"], "--benchmark is one of the YAML's: name it with --config"),
        ([*QUICK, "--profile", "x"], "--profile is one of the YAML's: name it with --config"),
        (
            ["--config", "r.yaml", "--seed", "1"],
            "--config says what is measured: leave out --seed",
        ),
        (
            ["--config", "r.yaml", "--benchmark", "oen"],
            "r.yaml declares no benchmark 'oen'; did you mean 'one'?",
        ),
        (
            [*DATA, "--corruptions", "none"],
            "bottle: no corruption is run, so that there is nothing to preview",
        ),
        (
            [*DATA, "--corruptions", "blurr"],
            "unknown corruption 'blurr' in corruptions; did you mean 'blur'?",
        ),
    ],
)
def test_a_mistake_is_one_message_and_writes_nothing(call, tmp_path, arguments, message):
    (tmp_path / "r.yaml").write_text(TWO)

    code, err = call(*arguments)

    assert (code, err) == (2, f"pytest-robustbench preview: {message}\n")
    assert not list(tmp_path.glob("robustness-preview/*"))


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(call, tmp_path, choices):
    (tmp_path / "taken").write_text("")

    code, err = call(*QUICK, "--output-dir", "taken")

    assert code == 2
    assert "--output-dir taken cannot be written" in err
    assert choices == []


def test_a_sheet_that_cannot_be_written_is_a_mistake(call, tmp_path):
    (tmp_path / "out/preview.png").mkdir(parents=True)

    code, err = call(*QUICK, "--output-dir", "out")

    assert code == 2
    assert err.startswith("pytest-robustbench preview: out/preview.png cannot be written: ")


def test_a_damaged_image_is_named(call, bottles):
    (bottles / "bottle/test/crack/000.png").write_bytes(b"nothing")

    code, err = call(*QUICK)

    assert code == 2
    assert "sample 'test/crack/000'" in err
    assert err.count("\n") == 1


def test_an_image_beyond_the_declared_budget_is_refused(call, tmp_path):
    text = YAML.replace('  - "weather:rain": {level: 7}\n', "")
    (tmp_path / "r.yaml").write_text(text + "image_budget: 3000\n")

    code, err = call("--config", "r.yaml", "--n-images", "1")

    assert code == 2
    assert "more than image_budget allows (2.93 KiB)" in err


def test_the_help_names_every_flag(capsys):
    assert main(["preview", "--help"]) == 0

    out = capsys.readouterr().out
    for flag in ("--images", "--n-images", "--output-dir", "--no-outline", "--benchmark"):
        assert flag in out
    assert preview.FOLDER in out


def test_seed_and_conditions_are_those_of_the_configuration(call, choices, tmp_path):
    (tmp_path / "weather.py").write_text(RAIN)
    (tmp_path / "robustness.yaml").write_text(YAML)
    call("--config", "robustness.yaml")

    (declared,) = load_config(tmp_path / "robustness.yaml").benchmarks
    assert choices[-1].seed == declared.evaluation.seed == 3
    assert choices[-1].conditions == tuple(c for c in declared.conditions if c.severity)


@needs_pages
@pytest.mark.parametrize("category", ["hazelnut_toy", "kolektor"])
def test_real_images(test_data, call, choices, tmp_path, category):
    root = test_data / "mvtec_layout"
    code, _ = call("--dataset", "mvtec", "--root", root, "--category", category)

    assert code == 0
    assert (tmp_path / "robustness-preview/preview.html").stat().st_size < 3_000_000
    sheet = cv2.imread(str(tmp_path / "robustness-preview/preview.png"))
    assert sheet.shape[1] <= 1600
    for block in sheet_of(choices).blocks:
        changes = {row.name: [_change(tile) for tile in row.tiles[1:]] for row in block.rows}
        assert list(changes) == ["lighting", "jpeg", "blur", "glare", "geo_jitter"]
        for name in ("lighting", "jpeg", "blur", "glare"):
            assert changes[name] == sorted(changes[name])
            assert changes[name][-1] > 1


def test_of_large_real_images_there_are_details_at_full_size(test_data, call, choices):
    root = test_data / "mvtec_layout"
    where = ["--dataset", "mvtec", "--root", root, "--category", "grid", "--resize", "0", "0"]
    assert call(*where, "--corruptions", "noise", "--severities", "5", "--n-images", "1")[0] == 0

    split = rb.load_split("mvtec", root=root, category="grid")
    (block,) = sheet_of(choices).blocks
    sample = next(sample for sample in split.test if sample.id == block.title)
    picture = PictureStore().load(sample)
    made = rb.corrupt(picture.image, picture.mask, "noise", severity=5, sample_id=sample.id)
    whole, detail = block.rows
    assert np.array_equal(whole.tiles[1].image, shrunk(made.image, LARGEST))
    assert detail.name == "noise: detail of 180 x 180 pixels"
    assert detail.tiles[1].image.shape == (180, 180, 3)
    assert detail.tiles[0].mask.any()
    found = cv2.matchTemplate(made.image, detail.tiles[1].image, cv2.TM_SQDIFF)
    down, right = np.unravel_index(found.argmin(), found.shape)
    window = made.image[down : down + 180, right : right + 180]
    assert np.array_equal(window, detail.tiles[1].image)


def _change(tile):
    return float(re.search(r"mean change ([\d.]+)", " ".join(tile.notes))[1])
