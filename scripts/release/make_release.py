#!/usr/bin/env python
"""Convert, prove and score a trained student, and write tflite/NAME with its model card.

    scripts/release/make_release.py runs/RUN tflite/tiny --data DATA --alone runs/A --alone runs/B

DATA holds pairs/SPLIT and pairs/valid (noisy and clean), music in noise/SPLIT/music_*, and
manifest.csv, which names licences, speakers and kinds of noise. Every number of MODEL_CARD.md comes
from release.json, which this writes beside it. Exit code 3 if a promise of the card is not kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from labels import labelled

from tfkd.errors import TfkdError

PROMISE_BROKEN = 3


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, help="a finished student")
    parser.add_argument("folder", type=Path, help="where the release goes, such as tflite/tiny")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=("test", "valid"), default="test")
    for arm in ("distilled", "alone"):
        text = f"a run of the arm '{arm}', for the comparison on pairs/valid; repeatable"
        parser.add_argument(f"--{arm}", type=Path, action="append", default=[], help=text)
    parser.add_argument(
        "--comparison-of",
        type=Path,
        metavar="JSON",
        help="release.json of a former release: take over its comparison of both arms",
    )
    text = "recordings that another denoiser made of the noisy ones; repeatable"
    parser.add_argument(
        "--other", type=labelled, action="append", default=[], metavar="LABEL=DIR", help=text
    )
    parser.add_argument("--commands", help="how the run was made; default: what it recorded")
    arguments = parser.parse_args()
    # Imported here, not above: the processes of the metrics import this file again.
    from student_release import release_student

    try:
        broken = release_student(arguments)
    except TfkdError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(arguments.folder / "MODEL_CARD.md")
    for promise in broken:
        print(f"not kept: {promise}", file=sys.stderr)
    return PROMISE_BROKEN if broken else 0


if __name__ == "__main__":
    sys.exit(main())
