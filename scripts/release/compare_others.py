#!/usr/bin/env python
"""Compare a released student with other denoisers, and write release.json and the card anew.

    scripts/release/compare_others.py tflite/tiny --data DATA --other GTCRN=outputs/gtcrn

For what came out after the release. DATA holds pairs/SPLIT (noisy and clean) of the split that the
release was scored on; each folder holds what another denoiser made of pairs/SPLIT/noisy, see
benchmarks/other_denoisers.py. Afterwards results_page.py writes the pages.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from labels import labelled

from tfkd.errors import TfkdError


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="a released student")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument(
        "--other", type=labelled, action="append", required=True, metavar="LABEL=DIR"
    )
    arguments = parser.parse_args()
    # Imported here, not above: the processes of the metrics import this file again.
    from quality import against_others
    from student_release import pairs_of, write_release

    from tfkd.evaluate import find_others

    folder = arguments.folder
    try:
        release = json.loads((folder / "release.json").read_text("utf-8"))
        pairs = pairs_of(arguments.data, release["split"])
        others = {label: find_others(outputs, pairs) for label, outputs in arguments.other}
        release["others"] = against_others(folder, pairs, others)
        write_release(folder, release)
    except (TfkdError, OSError, ValueError, KeyError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return getattr(error, "exit_code", 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
