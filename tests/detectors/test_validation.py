from __future__ import annotations

import numpy as np
import pytest
import torch

from pytest_robustbench.detectors.protocol import Prediction
from pytest_robustbench.detectors.validation import checked_prediction, require_finite
from pytest_robustbench.errors import DetectorError, NotMeasurableError

WHERE = "detector 'd', blur-severity_3, image 007"


def test_arrays_become_owned_contiguous_float32():
    buffer = np.arange(24, dtype=np.float64).reshape(2, 4, 3).transpose(0, 2, 1)
    checked = checked_prediction(Prediction([1, 2], buffer), "ab", WHERE)
    kept = checked.maps.copy()
    buffer[:] = -1
    assert checked.maps.dtype == checked.scores.dtype == np.float32
    assert checked.maps.flags.c_contiguous
    assert np.array_equal(checked.maps, kept)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int32])
def test_tensors_of_any_type(dtype):
    scores = torch.tensor([1, 2], dtype=dtype)
    maps = torch.ones(2, 1, 3, 3, dtype=dtype)
    checked = checked_prediction(Prediction(scores, maps), "ab", WHERE)
    assert checked.scores.tolist() == [1, 2]
    assert checked.maps.shape == (2, 3, 3)


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        ((np.zeros(2), None), "predict returned a tuple; expected a pytest_robustbench.Prediction"),
        (np.zeros(2), "predict returned a ndarray"),
        (None, "predict returned None"),
        (Prediction(np.zeros((2, 2))), r"scores with shape \(2, 2\); expected one score per image"),
        (Prediction(0.5), r"scores with shape \(\)"),
        (Prediction([1j, 2]), "scores as a list .dtype complex128."),
        (Prediction([0, 1], [[1, 2], [3]]), r"maps with one of shape \(2,\)"),
    ],
)
def test_a_wrong_form_names_the_place_and_what_is_right(prediction, message):
    with pytest.raises(DetectorError, match=message) as caught:
        checked_prediction(prediction, "ab", WHERE)
    assert str(caught.value).startswith(WHERE)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_what_is_not_finite_names_its_images(value):
    maps = np.zeros((3, 2, 2))
    maps[1, 0, 1] = value
    in_maps = checked_prediction(Prediction([0, 0, 0], maps), "abc", WHERE)
    with pytest.raises(NotMeasurableError, match=r"'d', clean: NaN or infinity in the .* image b$"):
        require_finite(in_maps, ["a", "b", "c"], "detector 'd', clean")
    in_scores = checked_prediction(Prediction([value, 0, value]), "abc", WHERE)
    with pytest.raises(NotMeasurableError, match=r"score of image a, c$"):
        require_finite(in_scores, ["a", "b", "c"], WHERE)


def test_finite_predictions_pass():
    checked = checked_prediction(Prediction([0], [np.ones((2, 2))]), "a", WHERE)
    require_finite(checked, ["a"], WHERE)
    assert checked.maps[0].tolist() == [[1, 1], [1, 1]]
