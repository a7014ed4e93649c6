"""What folders of images are usually called."""

from __future__ import annotations

from pytest_robustbench.datasets.files import nfc

NORMAL_NAMES = ("good", "normal", "normals", "ok", "io", "pass")
TRAIN_NAMES = (*NORMAL_NAMES, "train", "train_good", "train_ok")
TEST_NAMES = ("test_good", "test_ok", "test_normal", "good_test", "ok_test", "normal_test")
DEFECT_NAMES = (
    *("bad", "defect", "defects", "defective", "nok", "ng", "nio", "ko", "fail", "reject"),
    *("rejects", "abnormal", "anomaly", "anomalies", "anomalous", "test_bad", "test_nok"),
)
MASK_NAMES = ("mask", "masks", "ground_truth", "groundtruth", "gt", "label", "labels")


def means_normal(name: str) -> bool:
    """Tell whether a folder of this name holds normal images, by all that is known of names."""
    return nfc(name).casefold().strip() in (*NORMAL_NAMES, *TEST_NAMES)
