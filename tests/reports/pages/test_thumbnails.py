"""Small pictures beside a report, and what a report keeps of pixel scores for its page."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import jsonschema
import numpy as np
import pytest

from pytest_robustbench.conditions import CLEAN, Condition
from pytest_robustbench.errors import ReportError
from pytest_robustbench.evaluation.results import Exhibit, PixelLevels
from pytest_robustbench.metrics.ranking.levels import LEVELS
from pytest_robustbench.reports.file.record import condition_record, result_from_record
from pytest_robustbench.reports.file.schema import report_schema
from pytest_robustbench.reports.file.stored import read_stored
from pytest_robustbench.reports.pages.drawing import CALLED, TRUTH, filled, jpeg, outlined, png
from pytest_robustbench.reports.pages.thumbnails import (
    FOLDER,
    GAP,
    NAME,
    Thumbnails,
    thumbnail_name,
    thumbnails_of,
)
from tests.reports.report_samples import (
    contrast,
    drawn_report,
    drawn_result,
    scores_only,
    small_benchmark,
)
from tests.reports.stored_reports import edited

FIRST, SECOND = (thumbnail_name(digit * 16, "a" * 32) for digit in "12")
GRAY = np.full((20, 30, 3), 100, np.uint8)
LARGEST = float(np.finfo(np.float32).max)


def block(rows, columns):
    mask = np.zeros(GRAY.shape[:2], bool)
    mask[rows, columns] = True
    return mask


DEFECT, FOUND = block(slice(2, 8), slice(3, 12)), block(slice(10, 18), slice(15, 28))


def result_with(*exhibits):
    return replace(drawn_result(CLEAN, np.random.default_rng(0)), exhibits=exhibits)


def decoded(picture):
    """As RGB, in numbers that may be subtracted."""
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    return image[..., ::-1].astype(int)


def panels_of(picture, width):
    """The panels side by side, and the gaps between them."""
    step = width + GAP
    starts = range(0, picture.shape[1], step)
    panels = [picture[:, start : start + width] for start in starts]
    return panels, [picture[:, start + width : start + step] for start in starts][:-1]


# ---- pictures ----------------------------------------------------------------------------------


def test_a_name_holds_the_picture_and_the_operating_point():
    result = result_with(Exhibit(4, GRAY, DEFECT, FOUND), Exhibit(1, GRAY, DEFECT, FOUND))

    digest = result.digests
    assert list(thumbnails_of(result)) == [
        f"{digest[4]}-{result.operating_point[:16]}.jpg",
        f"{digest[1]}-{result.operating_point[:16]}.jpg",
    ]
    assert all(NAME.fullmatch(name) for name in thumbnails_of(result))


def test_another_operating_point_is_another_picture():
    assert thumbnail_name("1" * 16, "a" * 32) != thumbnail_name("1" * 16, "b" * 32)


def test_a_picture_shows_image_defect_and_prediction_side_by_side():
    (picture,) = thumbnails_of(result_with(Exhibit(0, GRAY, DEFECT, FOUND))).values()

    panels, gaps = panels_of(decoded(picture), 30)

    assert [panel.shape for panel in panels] == [(20, 30, 3)] * 3
    assert all(gap.shape == (20, GAP, 3) and gap.mean() > 240 for gap in gaps)
    image, truth, called = panels
    assert abs(image - 100).mean() < 5
    blue, red = truth[..., 2] - truth[..., 0], called[..., 0] - called[..., 2]
    assert blue[DEFECT].mean() > 20 > abs(blue[~DEFECT]).mean()
    assert red[FOUND].mean() > 60 > abs(red[~FOUND]).mean()


def test_without_a_prediction_there_are_two_panels():
    (picture,) = thumbnails_of(result_with(Exhibit(0, GRAY, DEFECT, None))).values()

    assert decoded(picture).shape == (20, 2 * 30 + GAP, 3)


def test_an_unknown_defect_has_no_outline():
    (picture,) = thumbnails_of(result_with(Exhibit(0, GRAY, None, None))).values()

    (image, truth), _ = panels_of(decoded(picture), 30)
    assert abs(image - truth).max() < 30


def test_a_result_without_exhibits_has_no_pictures():
    assert thumbnails_of(result_with()) == {}


def test_pictures_of_noise_stay_small():
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)

    (picture,) = thumbnails_of(result_with(Exhibit(0, noise, None, noise[..., 0] > 128))).values()

    assert len(picture) < 100_000


def test_drawing_leaves_the_image_as_it_was():
    image = GRAY.copy()

    outlined(image, DEFECT, TRUTH)
    filled(image, FOUND)

    assert np.array_equal(image, GRAY)


def test_the_outline_runs_along_the_defect_and_leaves_its_inside():
    drawn = outlined(GRAY, DEFECT, TRUTH)

    assert (drawn[2, 3] == TRUTH).all()
    assert (drawn[4:6, 5:10] == 100).all()


def test_what_is_called_is_reddened_and_nothing_else():
    drawn = filled(GRAY, FOUND)

    assert (drawn[12:16, 17:26] == (100 + np.array(CALLED)) // 2).all()
    assert (drawn[~FOUND] == 100).all()


def test_colours_keep_their_order_in_files():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255

    assert (decoded(png(red)) == (255, 0, 0)).all()
    assert abs(decoded(jpeg(red, 95)) - (255, 0, 0)).max() < 10


# ---- files -------------------------------------------------------------------------------------


@pytest.fixture
def report(tmp_path):
    return tmp_path / "reports" / "nuts.json"


def files_of(report):
    return {path.name for path in (report.with_suffix("") / FOLDER).iterdir()}


def test_pictures_lie_in_a_folder_beside_their_report(report):
    Thumbnails(report).write({FIRST: b"one"})

    assert (report.parent / "nuts" / "thumbnails" / FIRST).read_bytes() == b"one"
    assert Thumbnails(report).read(FIRST) == b"one"


def test_benchmarks_whose_names_have_dots_do_not_share_a_folder(tmp_path):
    Thumbnails(tmp_path / "nuts.v1.json").write({FIRST: b"one"})

    assert Thumbnails(tmp_path / "nuts.v2.json").read(FIRST) is None
    assert Thumbnails(tmp_path / "nuts.v1.json").read(FIRST) == b"one"


def test_what_is_not_there_is_none(report):
    assert Thumbnails(report).read(FIRST) is None


def test_without_pictures_no_folder_is_made(report):
    Thumbnails(report).write({})

    assert not report.parent.exists()


@pytest.mark.parametrize(
    "name",
    [
        "../../x.jpg",
        f"../../{FIRST}",
        f"/{FIRST}",
        f"{FIRST}\n",
        f"{FIRST}.exe",
        FIRST.replace("1", "G"),
        "report.html",
        "",
    ],
)
def test_only_names_of_ours_are_written(report, name):
    Thumbnails(report).write({name: b"evil"})

    assert not [p for p in report.parent.parent.rglob("*") if p.is_file()]


def test_pictures_of_a_shard_are_taken_over_and_stay_there(report, tmp_path):
    shard = tmp_path / "shard" / "nuts.json"
    Thumbnails(shard).write({FIRST: b"one"})
    Thumbnails(report).write({SECOND: b"two"})

    Thumbnails(report).adopt(Thumbnails(shard))

    assert files_of(report) == {FIRST, SECOND}
    assert Thumbnails(report).read(FIRST) == Thumbnails(shard).read(FIRST) == b"one"


def test_other_files_of_a_shard_are_not_taken_over(report, tmp_path):
    shard = tmp_path / "shard" / "nuts.json"
    Thumbnails(shard).write({FIRST: b"one"})
    (tmp_path / "shard" / "nuts" / FOLDER / "holiday.jpg").write_bytes(b"beach")

    Thumbnails(report).adopt(Thumbnails(shard))

    assert files_of(report) == {FIRST}


def test_a_shard_without_pictures_gives_none(report, tmp_path):
    Thumbnails(report).adopt(Thumbnails(tmp_path / "nowhere.json"))

    assert not report.parent.exists()


def test_pictures_of_earlier_runs_are_removed(report):
    Thumbnails(report).write({FIRST: b"one", SECOND: b"two"})

    Thumbnails(report).keep_only({SECOND})

    assert files_of(report) == {SECOND}


def test_there_may_be_nothing_to_remove(report):
    Thumbnails(report).keep_only({FIRST})

    assert Thumbnails(report).read(FIRST) is None


# ---- where scores lie, in the record -----------------------------------------------------------


def through_json(record):
    return json.loads(json.dumps(record, allow_nan=False))


@pytest.mark.parametrize("condition", [CLEAN, Condition("geo_jitter", 5)], ids=lambda c: c.id)
def test_levels_come_back_from_a_record_in_six_digits(condition):
    result = small_benchmark().evaluate(condition)

    again = result_from_record(
        condition, through_json(condition_record(result)), result.per_image.labels
    )

    for kind in ("background", "defect"):
        levels = getattr(result.pixel_levels, kind)
        assert getattr(again.pixel_levels, kind) == pytest.approx(levels, rel=5e-6)
    assert condition_record(again) == through_json(condition_record(result))


def test_a_record_names_the_shares_of_its_levels():
    record = condition_record(small_benchmark().evaluate(CLEAN))

    assert record["pixel_scores"]["level"] == list(LEVELS)
    assert {len(column) for column in record["pixel_scores"].values()} == {len(LEVELS)}


def test_without_maps_a_record_has_no_levels():
    result = small_benchmark(scores_only).evaluate(CLEAN)
    record = through_json(condition_record(result))

    assert record["pixel_scores"] is None
    again = result_from_record(CLEAN, record, result.per_image.labels)
    assert again.pixel_levels == PixelLevels()


def written(plain, folder):
    path = folder / "r.json"
    path.write_text(json.dumps(plain, allow_nan=False), "utf-8")
    return path


@pytest.fixture(scope="module", params=[contrast, scores_only], ids=["maps", "no maps"])
def plain(request):
    return through_json(small_benchmark(request.param, corruptions=[]).run().to_dict())


def test_a_report_with_levels_is_valid_and_can_be_read(plain, tmp_path):
    jsonschema.validate(plain, report_schema(), jsonschema.Draft202012Validator)

    read_stored(written(plain, tmp_path), "")


@pytest.mark.parametrize("levels", [[0.5, "x"], [None], {"a": 1}, "high"])
def test_levels_that_are_no_numbers_are_refused(levels, tmp_path):
    plain = through_json(drawn_report(corruptions=()).to_dict())
    scores = {"level": [0.5, 1.0], "background": levels, "defect": []}
    broken = edited(plain, (("robustness", "clean", "pixel_scores"), scores))

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, report_schema(), jsonschema.Draft202012Validator)
    with pytest.raises(ReportError, match=r"pixel_scores\.background"):
        read_stored(written(broken, tmp_path), "")


def test_the_largest_scores_there_are_can_be_written_and_read(tmp_path):
    """Four digits of the largest float32 are more than it."""
    levels = PixelLevels((-LARGEST, LARGEST), (LARGEST,))
    drawn = drawn_result(CLEAN, np.random.default_rng(0))
    score = np.where([True, *[False] * 5], np.float32(LARGEST), drawn.per_image.score)
    extreme = replace(drawn, pixel_levels=levels, per_image=replace(drawn.per_image, score=score))
    report = drawn_report(corruptions=())
    plain = replace(report, records={"clean": condition_record(extreme)}).to_dict()

    stored = read_stored(written(plain, tmp_path), "")

    again = result_from_record(CLEAN, stored.record("clean"), drawn.per_image.labels)
    assert again.pixel_levels.background == pytest.approx((-LARGEST, LARGEST), rel=5e-4)
    assert np.float32(again.per_image.score[0]) == np.float32(LARGEST)
