"""Relative files in a YAML start at its folder."""

from __future__ import annotations

import pytest

from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.errors import DetectorError


def test_the_file_of_a_backbone_starts_at_the_folder_of_the_yaml(tmp_path):
    pytest.importorskip("torch")

    with pytest.raises(DetectorError) as caught:
        load_detector("patchcore", kwargs={"backbone": "torchscript:n.pt"}, folder=tmp_path)

    assert str(tmp_path / "n.pt") in str(caught.value)
