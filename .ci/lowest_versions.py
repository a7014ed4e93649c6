"""Print the lowest versions that pyproject.toml declares, as constraints for pip.

Of the dependencies, the extra `report` and pytest-xdist: what `short_check.py` needs. They are read
and not kept in a file of their own, which would be another place to forget.
"""

import re
import sys
from pathlib import Path

NEEDED = ("dependencies", "report")
text = (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
lists = dict(re.findall(r"^(\w+) = \[(.*?)\]$", text, re.DOTALL | re.MULTILINE))
bounds = re.findall(r'"([\w-]+)>=([\w.]+)"', "".join(lists[name] for name in NEEDED))
bounds += re.findall(r'"(pytest-xdist)>=([\w.]+)"', lists["test"])
sys.stdout.write("".join(f"{name}=={version}\n" for name, version in bounds))
