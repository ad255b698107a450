"""How many times faster than real time a recording is denoised, per engine.

    python benchmarks/denoise_speed.py MODEL.tflite [--seconds N] [--engine NAME ...] [--json]

From file to file, as `tfkd denoise` does it: reading, front end, model, synthesis, writing; 16 kHz
mono, one thread. Importing and loading come before the clock starts. Processor time is given
beside wall time: on a busy machine only the former means anything.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from time import perf_counter, process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402

from tfkd import audio  # noqa: E402
from tfkd.denoise import denoise_file  # noqa: E402
from tfkd.engines.choice import engine_factory  # noqa: E402

ENGINES = ("tflite", "tflm", "firmware-ref")
SAMPLE_RATE = 16000


def measure(model: str, engine: str, seconds: float) -> dict[str, float]:
    """Real-time factors (audio seconds per second) of one engine."""
    open_engine = engine_factory(engine, model)
    noise = np.random.default_rng(0).standard_normal(round(seconds * SAMPLE_RATE))
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder) / "in.wav", Path(folder) / "out.wav"
        audio.write(source, (0.05 * noise).astype(np.float32), SAMPLE_RATE)
        open_engine().step(np.zeros(open_engine().frontend.bands, np.float32))  # imports
        wall, processor = perf_counter(), process_time()
        denoise_file(source, output, open_engine)
        wall, processor = perf_counter() - wall, process_time() - processor
    return {"wall_x": seconds / wall, "processor_x": seconds / processor}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--engine", action="append", choices=ENGINES)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    result = {
        engine: measure(arguments.model, engine, arguments.seconds)
        for engine in arguments.engine or ENGINES
    }
    if arguments.json:
        print(json.dumps({"schema": "tfkd.denoise-speed/1", "engines": result}, indent=2))
        return
    for engine, speed in result.items():
        print(
            f"{engine:13} {speed['wall_x']:6.0f} x real time, "
            f"{speed['processor_x']:6.0f} x by processor time"
        )


if __name__ == "__main__":
    main()
