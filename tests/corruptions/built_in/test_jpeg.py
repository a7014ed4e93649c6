from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.built_in.jpeg import JPEG, Jpeg
from tests.corruptions.corruption_pictures import SEVERITIES, picture

QUALITIES = (90, 80, 60, 31, 16)


def quantiser(tmp_path, quality):
    """The sum of what a file's table holds for low frequencies, where none reaches its largest."""
    path = tmp_path / f"{quality}.jpg"
    cv2.imwrite(str(path), np.zeros((8, 8), np.uint8), [cv2.IMWRITE_JPEG_QUALITY, quality])
    data = path.read_bytes()
    start = data.index(b"\xff\xdb") + 5
    return sum(data[start : start + 10])


def test_the_quantiser_doubles_with_every_step(tmp_path):
    assert [Jpeg().quality_at(severity) for severity in SEVERITIES] == list(QUALITIES)
    tables = [quantiser(tmp_path, quality) for quality in QUALITIES]
    ratios = [after / before for before, after in pairwise(tables)]
    assert ratios == pytest.approx([2, 2, 2, 2], rel=0.04)


def test_quality_never_rises_between_the_steps():
    qualities = [Jpeg().quality_at(severity) for severity in np.linspace(0.01, 5, 300)]
    assert qualities == sorted(qualities, reverse=True)
    assert Jpeg(quality=1).quality_at(5) == 1


@pytest.mark.parametrize("gray", [False, True])
@pytest.mark.parametrize("severity", SEVERITIES)
def test_it_is_what_a_file_written_at_that_quality_holds(tmp_path, severity, gray):
    image = picture(0, 64, 96, gray)
    path = str(tmp_path / "picture.jpg")
    stored = image[..., 0] if gray else image[..., ::-1]
    cv2.imwrite(path, stored, [cv2.IMWRITE_JPEG_QUALITY, QUALITIES[severity - 1]])
    expected = cv2.imread(path, cv2.IMREAD_COLOR)[..., ::-1]
    result = JPEG.apply(image, None, severity, seed=0, sample_id="a").image
    assert np.array_equal(result, expected)
