from __future__ import annotations

import cv2
import numpy as np
import pytest

from pytest_robustbench.corruptions.built_in.jpeg import JPEG, QUALITIES
from tests.corruptions.corruption_pictures import SEVERITIES, picture


def test_quality_falls_with_severity():
    assert QUALITIES == (90, 70, 50, 30, 15)
    assert JPEG.specification(0)["parameters"] == {"quality": [90, 70, 50, 30, 15]}


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
