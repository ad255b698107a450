"""What a batch of live mixtures costs on one core, beside the share of each augmentation.

    python benchmarks/mixing_speed.py [--speech DIR --noise DIR [--rir DIR]] [--batches 100]

Without folders the demo corpus is mixed. CPU time is measured, not the clock, so that other
processes matter little; the graph runs in one thread.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ[variable] = "1"

import tensorflow as tf  # noqa: E402

from tfkd.config import Config, DataConfig, ModelConfig, TrainConfig  # noqa: E402
from tfkd.data import training_dataset  # noqa: E402

RARE = ("second_noise", "babble", "synthetic", "reverb", "speed")
MODEL = ModelConfig(
    name="none",
    channels=(),
    kernels=(),
    strides=(),
    time_kernels=(),
    expansions=(),
    latent=4,
    hidden=4,
    dilations=(),
)


def cpu_ms_per_batch(dataset: tf.data.Dataset, batches: int) -> float:
    iterator = iter(dataset)
    next(iterator)  # start-up
    start = time.process_time()
    for _ in range(batches):
        next(iterator)
    return 1000.0 * (time.process_time() - start) / batches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("speech", "noise", "rir"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--memory-mb", type=int, default=1024, help="0 streams from disk")
    arguments = parser.parse_args()
    folders = {"speech": arguments.speech, "noise": arguments.noise, "rir": arguments.rir}
    train = TrainConfig()
    none = dict.fromkeys(RARE, 0.0)
    variants = {"default": {}, "plain": none}
    variants |= {f"plain + {name}": {k: v for k, v in none.items() if k != name} for name in RARE}
    if not arguments.rir:
        del variants["plain + reverb"]
    result = {}
    for name, changes in variants.items():
        data = DataConfig(**folders, **changes, memory_mb=arguments.memory_mb)
        dataset = training_dataset(Config(model=MODEL, data=data, train=train))
        batch_ms = cpu_ms_per_batch(dataset, arguments.batches)
        seconds = train.batch * data.segment_s
        result[name] = {
            "ms_per_example": round(batch_ms / train.batch, 3),
            "times_real_time": round(1000.0 * seconds / batch_ms),
        }
        print(f"{name:22} {result[name]}", file=sys.stderr, flush=True)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"cpu_time": result, "peak_rss_mb": peak_mb}))


if __name__ == "__main__":
    main()
