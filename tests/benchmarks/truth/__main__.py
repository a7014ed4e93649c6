"""Simulate some tables alone: ``python -m truth NAME ...`` in the folder of benchmarks."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from truth import FULL, TABLES


def main() -> None:
    """Print the tables that are named, all of them by default."""
    parser = argparse.ArgumentParser(prog="python -m truth", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TABLES))
    parser.add_argument("--draws", type=int, default=FULL.draws)
    parser.add_argument("--defects", type=int, nargs="+", default=FULL.defects)
    parser.add_argument("--images-a-part", type=int, nargs="+", default=FULL.images_a_part)
    parser.add_argument("--processes", type=int, default=FULL.processes)
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(TABLES):
        parser.error(f"no table {', '.join(sorted(unknown))}; there are {', '.join(TABLES)}")
    effort = replace(
        FULL,
        draws=chosen.draws,
        defects=tuple(chosen.defects),
        images_a_part=tuple(chosen.images_a_part),
        processes=chosen.processes,
    )
    for name in chosen.names or TABLES:
        sys.stdout.write(f"\n{TABLES[name](effort).markdown()}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
