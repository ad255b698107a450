"""How fast a student trains, and what mixing live costs: ratios measured side by side in one run.

    .venv/bin/python benchmarks/training_speed.py --speech DIR --noise DIR [--rir DIR] [--threads 1]

Without folders it uses the demo corpus. Real time = seconds of audio per second of training. Each
figure is the median of several rounds; the rounds of what is compared alternate.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator

import tensorflow as tf

from tfkd.config_file import load_config
from tfkd.data import training_dataset
from tfkd.distill import LOSSES, Distiller
from tfkd.models.dae import build_dae
from tfkd.train.schedule import cosine_adamw


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("speech", "noise", "rir"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--student", default="tiny")
    parser.add_argument("--threads", type=int, default=1, help="threads of TensorFlow's operators")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8, help="steps of a round")
    args = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    flags = {f"data.{name}": getattr(args, name) for name in ("speech", "noise", "rir")}
    config = load_config(args.student, flags=flags)

    student = build_dae(config.model)
    distiller = Distiller(student, config.model.frontend, LOSSES["none"], ema=config.train.ema)
    distiller.compile(optimizer=cosine_adamw(steps=10_000, learning_rate=1e-3))
    distiller.optimizer.build(student.trainable_variables)
    step = distiller.make_train_function()

    live = iter(training_dataset(config))
    cached = iter(training_dataset(config).take(1).cache().repeat())

    def seconds_per_step(batches: Iterator[object]) -> Callable[[], float]:
        def measure() -> float:
            start = time.perf_counter()
            for _ in range(args.steps):
                step(batches)
            return (time.perf_counter() - start) / args.steps

        return measure

    measures = {"live": seconds_per_step(live), "cached": seconds_per_step(cached)}
    for measure in measures.values():
        measure()  # traces, fills caches
    times: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(args.rounds):
        for name, measure in measures.items():
            times[name].append(measure())
    median = {name: statistics.median(values) for name, values in times.items()}
    audio_s = config.train.batch * config.data.segment_s
    print(
        json.dumps(
            {
                "student": args.student,
                "threads": args.threads,
                "step_ms": {name: round(1e3 * value, 1) for name, value in median.items()},
                "live_over_cached": round(median["live"] / median["cached"], 3),
                "real_time": round(audio_s / median["live"], 1),
            }
        )
    )


if __name__ == "__main__":
    main()
