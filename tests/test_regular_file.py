from __future__ import annotations

import os

import pytest

from pytest_robustbench.datasets.loading import load_split
from pytest_robustbench.errors import DatasetError
from pytest_robustbench.regular_file import bytes_text, read_regular_file, read_regular_text


def test_a_file_of_the_allowed_size_is_read_and_no_larger_one(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_regular_file(file, 5) == b"12345"
    with pytest.raises(OSError, match="it has 5 bytes, of 4 bytes allowed"):
        read_regular_file(file, 4)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_is_utf_8_with_or_without_a_mark(tmp_path, mark):
    (tmp_path / "file").write_bytes(mark + "größer\r\n".encode())
    assert read_regular_text(tmp_path / "file") == "größer\r\n"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1000, "1e+03 bytes"), (1024, "1 KiB"), (1 << 29, "512 MiB")],
)
def test_bytes_in_words(count, text):
    assert bytes_text(count) == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs on this system")
@pytest.mark.parametrize("layout", ["manifest", "visa"])
def test_a_table_of_images_that_is_no_file_is_refused_and_not_waited_for(tmp_path, layout):
    (tmp_path / "split_csv").mkdir()
    table = tmp_path / ("parts.jsonl" if layout == "manifest" else "split_csv/1cls.csv")
    os.mkfifo(table)
    options = {"manifest": table} if layout == "manifest" else {"category": "x"}
    (tmp_path / "x/Data/Images").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"cannot be read: .*it is a FIFO, not a regular file"):
        load_split(layout, root=tmp_path, **options)
