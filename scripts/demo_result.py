"""Say what the demo reached and where its files lie; exit code 3 unless int8 improved the pairs.

Usage: demo_result.py RUN, after `tfkd evaluate RUN > RUN/scores.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

METRICS = {"pesq_wb": "PESQ-WB", "si_sdr": "SI-SDR in dB"}


def main(run: Path) -> int:
    systems = json.loads((run / "scores.json").read_text())["systems"]
    improved = True
    for key, name in METRICS.items():
        mean = {system: groups["all"][key]["mean"] for system, groups in systems.items()}
        print(
            f"{name}: noisy {mean['noisy']:.2f}, float {mean['float']:.2f}, int8 {mean['int8']:.2f}"
        )
        improved &= mean["int8"] > mean["noisy"]
    for name, what in (
        ("model.tflite", "model"),
        ("memory.json", "memory report"),
        ("scores.json", "scores"),
        ("audio", "denoised audio"),
    ):
        print(f"{what}: {run.resolve() / name}")
    if not improved:
        print("the int8 student did not improve the held-out pairs", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
