"""``python -m pytest_robustbench``: the console script where its folder is on no search path."""

import sys

from pytest_robustbench.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
