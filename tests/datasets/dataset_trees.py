"""A small tree of every file format, built to its published layout."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZE = (12, 16)
MASK_VALUE = 255


@dataclass(frozen=True)
class Tree:
    """Where a tree lies, how it is loaded, and the files that tests damage."""

    root: Path
    format: str
    options: dict[str, Any]
    train_folder: Path
    good: Path
    bad: Path
    mask: Path
    stray_mask: Path
    counts: dict[str, int] = field(default_factory=lambda: {"train": 3, "good": 2, "bad": 2})


def picture(seed: int) -> np.ndarray:
    """Draw a colour image, BGR."""
    return np.random.default_rng(seed).integers(0, 256, (*SIZE, 3), np.uint8)


def defect_mask(value: int = MASK_VALUE) -> np.ndarray:
    """Draw a mask with one region."""
    mask = np.zeros(SIZE, np.uint8)
    mask[3:6, 4:9] = value
    return mask


def write(path: Path, pixels: np.ndarray) -> Path:
    """Encode `pixels` as the suffix of `path` says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix.lower(), pixels)[1].tobytes())
    return path


def write_pictures(folder: Path, count: int, suffix: str = ".png", seed: int = 0) -> list[Path]:
    """Write `count` images 000, 001, ... into `folder`."""
    return [write(folder / f"{i:03d}{suffix}", picture(seed + i)) for i in range(count)]


def _category(
    root: Path, fmt: str, *, good="good", bad="crack", test="test", validation=True, suffix=".png"
) -> Tree:
    """Write a tree in the manner of MVTec."""
    folder = root / "nut"
    write_pictures(folder / "train" / good, 3, suffix, 10)
    if validation:
        write_pictures(folder / "validation" / good, 2, suffix, 20)
    normals = write_pictures(folder / test / good, 2, suffix, 30)
    defects = write_pictures(folder / test / bad, 2, suffix, 40)
    truth = (folder if test == "test" else folder / test) / "ground_truth" / bad
    masks = [write(truth / f"{i:03d}_mask.png", defect_mask()) for i in range(2)]
    return Tree(
        root,
        fmt,
        {"root": root, "category": "nut"},
        folder / "train" / good,
        normals[0],
        defects[0],
        masks[0],
        truth / "999_mask.png",
    )


def mvtec(root: Path) -> Tree:
    return _category(root, "mvtec", validation=False)


def mvtec_3d(root: Path) -> Tree:
    _category(root, "mvtec_3d")
    folder = root / "nut"
    for image in sorted(folder.glob("t*/*/*.png")) + sorted(folder.glob("validation/*/*.png")):
        write(image.parent / "rgb" / image.name, cv2.imread(str(image)))
        image.unlink()
    masks = [write(folder / f"test/crack/gt/{i:03d}.png", defect_mask()) for i in range(2)]
    write(folder / "test/crack/xyz/000.tiff", np.zeros(SIZE, np.float32))
    for i in range(2):
        write(folder / f"test/good/gt/{i:03d}.png", np.zeros(SIZE, np.uint8))
    shutil.rmtree(folder / "ground_truth")
    return Tree(
        root,
        "mvtec_3d",
        {"root": root, "category": "nut"},
        folder / "train/good/rgb",
        folder / "test/good/rgb/000.png",
        folder / "test/crack/rgb/000.png",
        masks[0],
        folder / "test/crack/gt/999.png",
    )


def mvtec_beside(root: Path) -> Tree:
    tree = _category(root, "mvtec", validation=False)
    folder = root / "nut"
    for mask in sorted(folder.glob("ground_truth/*/*.png")):
        mask.rename(folder / "test/crack" / mask.name)
    return replace(
        tree,
        options={**tree.options, "mask_suffix": "_mask"},
        mask=folder / "test/crack/000_mask.png",
        stray_mask=folder / "test/crack/999_mask.png",
    )


def folder_beside(root: Path) -> Tree:
    """Write folders as Real-IAD has them: a mask beside its image, with another suffix."""
    for i in range(5):
        write(root / f"OK/S{i:04d}/nut_{i}_C1.jpg", picture(i))
    images = [write(root / f"NG/crack/S{i:04d}/nut_{i}_C1.jpg", picture(40 + i)) for i in range(2)]
    masks = [write(image.with_suffix(".png"), defect_mask()) for image in images]
    options = {"root": root, "normal_dir": "OK", "abnormal_dir": "NG", "mask_suffix": ".png"}
    return Tree(
        root,
        "folder",
        {**options, "test_fraction": 0.3},
        root / "OK",
        root / "OK/S0000/nut_0_C1.jpg",
        images[0],
        masks[0],
        root / "NG/crack/S0000/stray.png",
    )


def mvtec_ad2(root: Path) -> Tree:
    tree = _category(root, "mvtec_ad2", bad="bad", test="test_public")
    write_pictures(root / "nut/test_private", 2)
    return tree


def mvtec_loco(root: Path) -> Tree:
    tree = _category(root, "mvtec_loco", bad="logical_anomalies")
    truth = root / "nut/ground_truth/logical_anomalies"
    for mask in truth.glob("*_mask.png"):
        mask.unlink()
    for name in ("000/000.png", "001/000.png"):
        write(truth / name, defect_mask(3))
    write_loco_config(root / "nut/defects_config.json", 3)
    return Tree(
        **{
            **tree.__dict__,
            "mask": truth / "000/000.png",
            "stray_mask": truth / "999/000.png",
        }
    )


def write_loco_config(path: Path, *values: int) -> None:
    entries = [
        {
            "defect_name": f"defect_{value}",
            "pixel_value": value,
            "saturation_threshold": 0.5,
            "relative_saturation": True,
        }
        for value in values
    ]
    path.write_text(json.dumps(entries))


def btad(root: Path) -> Tree:
    tree = _category(root, "btad", good="ok", bad="ko", validation=False)
    truth = root / "nut/ground_truth/ko"
    for mask in sorted(truth.iterdir()):
        mask.rename(truth / mask.name.replace("_mask", ""))
    return Tree(**{**tree.__dict__, "mask": truth / "000.png", "stray_mask": truth / "999.png"})


def visa(root: Path) -> Tree:
    data = root / "nut/Data"
    normals = write_pictures(data / "Images/Normal", 5)
    defects = write_pictures(data / "Images/Anomaly", 2, seed=40)
    masks = [write(data / f"Masks/Anomaly/{p.stem}.png", defect_mask(1)) for p in defects]
    rows = [("train" if i < 3 else "test", "normal", p, None) for i, p in enumerate(normals)]
    rows += [("test", "anomaly", p, m) for p, m in zip(defects, masks, strict=True)]
    write_visa_table(root, rows)
    return Tree(
        root,
        "visa",
        {"root": root, "category": "nut"},
        data / "Images/Normal",
        normals[3],
        defects[0],
        masks[0],
        data / "Masks/Anomaly/999.png",
    )


def write_visa_table(root: Path, rows, name: str = "1cls") -> Path:
    """Write (split, label, image, mask) as a table of VisA."""

    def cell(path):
        return "" if path is None else path.relative_to(root).as_posix()

    lines = [f"nut,{part},{label},{cell(image)},{cell(mask)}" for part, label, image, mask in rows]
    table = root / f"split_csv/{name}.csv"
    table.parent.mkdir(exist_ok=True)
    table.write_text("\n".join(["object,split,label,image,mask", *lines, ""]))
    return table


def visa_pytorch(root: Path) -> Tree:
    tree = _category(root / "visa_pytorch/1cls", "visa", bad="bad", validation=False)
    truth = tree.mask.parent
    for mask in sorted(truth.iterdir()):
        mask.rename(truth / mask.name.replace("_mask", ""))
    return Tree(
        **{
            **tree.__dict__,
            "root": root,
            "options": {"root": root, "category": "nut"},
            "mask": truth / "000.png",
            "stray_mask": truth / "999.png",
        }
    )


def kolektor(root: Path) -> Tree:
    for item in range(5):
        folder = root / f"kos{item + 1:02d}"
        for part in range(2):
            write(folder / f"Part{part}.jpg", picture(10 * item + part))
            defect = item < 2 and part == 0
            write(folder / f"Part{part}_label.bmp", defect_mask(255 if defect else 0))
    return Tree(
        root,
        "kolektor",
        {"root": root},
        root / "kos03",
        root / "kos04/Part0.jpg",
        root / "kos01/Part0.jpg",
        root / "kos01/Part0_label.bmp",
        root / "kos01/Part9_label.bmp",
        {"train": 6, "good": 2, "bad": 2},
    )


def kolektor2(root: Path) -> Tree:
    for part, count, first in (("train", 3, 10000), ("test", 4, 20000)):
        for i in range(count):
            write(root / part / f"{first + i}.png", picture(first + i))
            defect = part == "test" and i >= 2
            write(root / part / f"{first + i}_GT.png", defect_mask(255 if defect else 0))
    test = root / "test"
    return Tree(
        root,
        "kolektor",
        {"root": root},
        root / "train",
        test / "20000.png",
        test / "20002.png",
        test / "20002_GT.png",
        test / "29999_GT.png",
    )


def folder(root: Path) -> Tree:
    write_pictures(root / "ok", 3, seed=10)
    normals = write_pictures(root / "test_ok", 2, seed=30)
    defects = write_pictures(root / "nok", 2, seed=40)
    masks = [write(root / f"masks/{p.stem}_mask.png", defect_mask()) for p in defects]
    options = {
        "root": root,
        "normal_dir": "ok",
        "test_dir": "test_ok",
        "abnormal_dir": "nok",
        "mask_dir": "masks",
    }
    return Tree(
        root,
        "folder",
        options,
        root / "ok",
        normals[0],
        defects[0],
        masks[0],
        root / "masks/999_mask.png",
    )


def manifest(root: Path) -> Tree:
    train = write_pictures(root / "pictures/a", 3, seed=10)
    normals = write_pictures(root / "pictures/b", 2, seed=30)
    defects = write_pictures(root / "pictures/c", 2, seed=40)
    masks = [write(root / f"pictures/m/{p.stem}.png", defect_mask()) for p in defects]
    write_manifest(
        root / "parts.jsonl",
        *({"image_path": p, "split": "train"} for p in train),
        *({"image_path": p, "split": "test", "label": 0} for p in normals),
        *(
            {"image_path": p, "split": "test", "label": 1, "mask_path": m}
            for p, m in zip(defects, masks, strict=True)
        ),
    )
    return Tree(
        root,
        "manifest",
        {"root": root, "manifest": root / "parts.jsonl"},
        root / "pictures/a",
        normals[0],
        defects[0],
        masks[0],
        root / "pictures/m/999.png",
    )


def write_manifest(path: Path, *records: dict[str, Any]) -> Path:
    """Write records, paths below the manifest's folder made relative to it."""

    def plain(value):
        return value.relative_to(path.parent).as_posix() if isinstance(value, Path) else value

    lines = [
        json.dumps({"category": "nut", **{k: plain(v) for k, v in record.items()}})
        for record in records
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


TREES = {
    "mvtec": mvtec,
    "mvtec_3d": mvtec_3d,
    "mvtec_ad2": mvtec_ad2,
    "mvtec_loco": mvtec_loco,
    "visa": visa,
    "visa_pytorch": visa_pytorch,
    "btad": btad,
    "kolektor": kolektor,
    "kolektor2": kolektor2,
    "folder": folder,
    "manifest": manifest,
}

BESIDE = {"mvtec": mvtec_beside, "folder": folder_beside, "mvtec_3d": mvtec_3d}
"""Those whose masks lie beside their images."""
