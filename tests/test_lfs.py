"""A pointer of Git LFS is named as such, whoever reads the file."""

from __future__ import annotations

import shutil

import pytest

from pytest_robustbench.config.loader import load_config
from pytest_robustbench.datasets.formats.manifest_records import read_records
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.pictures.picture import read_picture
from pytest_robustbench.detectors.loading import load_detector
from pytest_robustbench.detectors.pixel_gaussian import PixelGaussian
from pytest_robustbench.errors import RobustbenchError
from pytest_robustbench.evaluation.prepare.operating_point import OperatingPoint
from pytest_robustbench.reports.file.journal import read_journal
from pytest_robustbench.reports.file.stored import read_stored
from tests.datasets.dataset_trees import TREES, picture, write

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n"
)


def image(path):
    test = path.parents[1] / "test/crack/0.png"
    test.parent.mkdir(parents=True)
    shutil.move(path, test)
    write(path.parents[1] / "train/good/0.png", picture(0))
    (sample,) = load_split("mvtec", root=path.parents[1]).test
    read_picture(sample)


def mask(path):
    truth = path.parents[1] / "ground_truth/crack/0.png"
    truth.parent.mkdir(parents=True)
    shutil.move(path, truth)
    for name in ("train/good/0.png", "test/crack/0.png"):
        write(path.parents[1] / name, picture(0))
    (sample,) = load_split("mvtec", root=path.parents[1]).test
    read_picture(sample)


def external_data(path):
    model = path.with_suffix(".xml")
    model.write_text("<net/>")
    shutil.move(path, path.with_suffix(".bin"))
    load_detector(f"openvino:{model}")


READERS = {
    "image": image,
    "mask": mask,
    "manifest": read_records,
    "report": read_stored,
    "operating point": lambda path: OperatingPoint.read(path, "nut"),
    "journal": read_journal,
    "robustness.yaml": load_config,
    "ONNX": lambda path: load_detector(f"onnx:{path}"),
    "TorchScript": lambda path: load_detector(f"torchscript:{path}"),
    "weights of OpenVINO": external_data,
    "weights": lambda path: load_detector("patchcore", kwargs={"checkpoint_path": str(path)}),
    "backbone": lambda path: load_detector("patchcore", kwargs={"backbone": f"onnx:{path}"}),
    "own model": lambda path: load_detector(
        "x.y:load", kwargs={"path": path.name}, folder=path.parent
    ),
    "saved detector": PixelGaussian.load,
}


NEEDED = {"TorchScript": "torch", "weights of OpenVINO": "openvino"}


@pytest.mark.parametrize("what", READERS)
def test_a_pointer_is_named_as_such(tmp_path, what):
    pytest.importorskip(NEEDED.get(what, "pytest"))
    path = tmp_path / "files/file.x"
    path.parent.mkdir()
    path.write_text(POINTER)
    with pytest.raises(RobustbenchError, match=r"is a pointer of Git LFS, .*git lfs pull"):
        READERS[what](path)


@pytest.mark.parametrize(
    ("layout", "table"), [("visa", "1cls.csv"), ("mvtec_loco", "defects_config.json")]
)
def test_so_are_tables_of_datasets(tmp_path, layout, table):
    tree = TREES[layout](tmp_path)
    next(tmp_path.rglob(table)).write_text(POINTER)
    with pytest.raises(RobustbenchError, match=rf"{table}.* is a pointer of Git LFS"):
        load_split(tree.format, **tree.options)
