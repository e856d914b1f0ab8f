"""Make the committed calibration set, or the training shards.

python make_data.py committed        writes ../../calibration_data/formula_scan (calibrate and validate parts)
python make_data.py shards N [FIRST] writes training shards FIRST..N-1 into .cache/
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2

from formula_scan.dataset import write_shard

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"


def _shards(count: int, first: int) -> None:
    cv2.setNumThreads(1)
    for number in range(first, count):
        write_shard(CACHE, number)
        print(f"shard {number + 1}/{count}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("committed", "shards"))
    parser.add_argument("count", nargs="?", type=int, default=120)
    parser.add_argument("first", nargs="?", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.what == "shards":
        _shards(arguments.count, arguments.first)


if __name__ == "__main__":
    main()
