"""Print the N-th fenced bash block of README.md, so that CI runs exactly what users read."""

import re
import sys
from pathlib import Path

readme = Path(__file__).parent.parent / "README.md"
blocks = re.findall(
    r"^```bash\n(.*?)^```", readme.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
)
sys.stdout.write(blocks[int(sys.argv[1]) - 1].strip() + "\n")
