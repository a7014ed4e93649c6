"""Files that list images: every line is one image that says what is written, or is refused."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np

from pytest_robustbench.datasets.formats.manifest_records import LABELS
from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.datasets.split import DEFECT
from tests.fuzz.mutation import mutated_bytes, mutated_plain, mutated_text, written
from tests.fuzz.subject import FoundError, Subject

PICTURE = cv2.imencode(".png", np.zeros((4, 4), np.uint8))[1].tobytes()
MASK = cv2.imencode(".png", np.full((4, 4), 255, np.uint8))[1].tobytes()


def _draw(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MASK if "mask" in name or "ground_truth" in name else PICTURE)


def _damaged(rng: Random, valid: Sequence[bytes]) -> bytes:
    content = rng.choice(valid)
    if rng.random() < 0.5:
        return mutated_bytes(rng, content, valid)
    return mutated_text(rng, content.decode()).encode("utf-8", "surrogatepass")


# ---- manifests ---------------------------------------------------------------------------------


def _write_manifests(folder: Path) -> None:
    _draw(folder, *(f"p/{number:03d}.png" for number in range(12)), "p/mask.png")
    common = {"category": "nut"}
    images = [{"image_path": f"p/{n:03d}.png", **common} for n in range(12)]
    plain = [{**one, "split": "train"} for one in images[:6]]
    plain += [{**one, "split": "test", "label": 0} for one in images[6:9]]
    plain += [
        {**one, "split": "test", "label": "defect", "mask_path": "p/mask.png"} for one in images[9:]
    ]
    grouped = [{**one, "group_id": n // 2, "label": "good"} for n, one in enumerate(images[:10])]
    grouped += [{**images[10], "label": 1, "meta": {"group_id": "a", "line": [1, None]}}]
    for number, records in enumerate((plain, grouped)):
        lines = "\n".join(map(json.dumps, records))
        (folder / f"valid{number}.jsonl").write_text(f"# {number}\n\n{lines}\n", "utf-8")


def _damaged_manifest(rng: Random, valid: Sequence[bytes]) -> bytes:
    if rng.random() < 0.5:
        return _damaged(rng, valid)
    lines = [line for line in rng.choice(valid).split(b"\n") if line.startswith(b"{")]
    place = rng.randrange(len(lines))
    lines[place] = written(mutated_plain(rng, json.loads(lines[place])))
    return b"\n".join(lines)


def _read_manifest(path: Path, _: Sequence[bytes]) -> None:
    split = load_split("manifest", manifest=path)
    text = path.read_bytes().decode("utf-8-sig")
    lines = [
        line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")
    ]
    samples = [*split.train, *split.calibration, *split.test]
    if len(samples) != len(lines):
        raise FoundError(f"{len(lines)} lines are {len(samples)} images")
    defects = sum(LABELS.get(_word(json.loads(line).get("label"))) == DEFECT for line in lines)
    if defects != sum(sample.label == DEFECT for sample in samples):
        raise FoundError("an image that is written as defect is none")


def _word(label: Any) -> str:
    return str(int(label) if isinstance(label, float) else label).strip().lower()


# ---- tables and configurations of public datasets ----------------------------------------------


def _read_visa(path: Path, _: Sequence[bytes]) -> None:
    load_split("visa", root=path.parents[1], category="nut", split_csv=path.stem)


def _read_loco(path: Path, _: Sequence[bytes]) -> None:
    load_split("mvtec_loco", root=path.parents[1], category="nut")


def _write_visa(folder: Path) -> None:
    rows = [["object", "split", "label", "image", "mask"]]
    for n in range(6):
        name, part = f"nut/Data/Images/Normal/{n}.png", "train" if n < 4 else "test"
        _draw(folder, name)
        rows.append(["nut", part, "normal", name, ""])
    for n in range(3):
        name, mask = f"nut/Data/Images/Anomaly/{n}.png", f"nut/Data/mask/Anomaly/{n}.png"
        _draw(folder, name, mask)
        rows.append(["nut", "test", "anomaly", name, mask])
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    (folder / "valid.csv").write_text(text.getvalue(), "utf-8")


def _write_loco(folder: Path) -> None:
    kinds = ("train/good", "validation/good", "test/good", "test/logical_anomalies")
    _draw(folder, *(f"nut/{kind}/{n:03d}.png" for kind in kinds for n in range(3)))
    _draw(folder, *(f"nut/ground_truth/logical_anomalies/{n:03d}/000.png" for n in range(3)))
    entry = {
        "defect_name": "bag",
        "pixel_value": 255,
        "saturation_threshold": 10,
        "relative_saturation": False,
    }
    (folder / "valid.json").write_text(json.dumps([entry, {**entry, "pixel_value": 3}]), "utf-8")


def _damaged_json(rng: Random, valid: Sequence[bytes]) -> bytes:
    if rng.random() < 0.5:
        return _damaged(rng, valid)
    return written(mutated_plain(rng, json.loads(rng.choice(valid))))


MANIFESTS = Subject(
    "manifests", 1000, "damaged.jsonl", _write_manifests, _damaged_manifest, _read_manifest, False
)
VISA = Subject("visa", 500, "split_csv/damaged.csv", _write_visa, _damaged, _read_visa, False)
LOCO = Subject(
    "loco", 500, "nut/defects_config.json", _write_loco, _damaged_json, _read_loco, False
)
