"""What a batch of live mixtures costs on one core, and the share of each augmentation.

    python benchmarks/mixing_speed.py [--speech DIR --noise DIR [--rir DIR]] [--memory-mb 0]

Without folders the demo corpus is mixed. CPU time is measured, not the clock, and everything runs
in one thread. A busy sibling hyper-thread still doubles it: compare with `reference_fft_ms`, the
CPU time of the same number of FFTs that one STFT of a batch takes.
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

import numpy as np  # noqa: E402
import scipy.fft  # noqa: E402
import tensorflow as tf  # noqa: E402

from tfkd.config import DataConfig, FrontEndConfig  # noqa: E402
from tfkd.data.augment import ROOM_S  # noqa: E402
from tfkd.data.corpus import read_corpus  # noqa: E402
from tfkd.data.decode import ClipStore  # noqa: E402
from tfkd.data.demo import demo_corpus  # noqa: E402
from tfkd.data.mixing import mixture_dataset, speech_samples  # noqa: E402

BATCH = 8
RARE = ("second_noise", "babble", "synthetic", "reverb", "speed")


def cpu_ms_per_batch(dataset: tf.data.Dataset, batches: int) -> float:
    iterator = iter(dataset)
    for _ in range(3):  # start-up and the prefetched batches
        next(iterator)
    start = time.process_time()
    for _ in range(batches):
        next(iterator)
    return 1000.0 * (time.process_time() - start) / batches


def reference_fft_ms(frontend: FrontEndConfig, frames: int) -> float:
    framed = np.ones((BATCH * frames, frontend.window), np.float32)
    start = time.process_time()
    for _ in range(20):
        scipy.fft.rfft(framed)
    return 50.0 * (time.process_time() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("speech", "noise", "rir"):
        parser.add_argument(f"--{name}")
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--memory-mb", type=int, default=1024, help="0 streams from disk")
    arguments = parser.parse_args()
    frontend, data = FrontEndConfig(), DataConfig()
    folders = {name: getattr(arguments, name) for name in ("speech", "noise", "rir")}
    if not folders["speech"]:
        folders |= {"speech": demo_corpus().speech, "noise": demo_corpus().noise}
    samples = {
        "speech": (speech_samples(data, frontend), "pad"),
        "noise": (round(data.segment_s * frontend.sample_rate), "loop"),
        "rir": (round(ROOM_S * frontend.sample_rate), "pad"),
    }
    start = time.process_time()
    stores = {
        name: folders[name]
        and ClipStore(
            read_corpus(folders[name]).train,
            frontend.sample_rate,
            samples=length,
            short=short,
            memory_bytes=arguments.memory_mb * 2**20,
        )
        for name, (length, short) in samples.items()
    }
    result: dict[str, object] = {
        "open_cpu_s": round(time.process_time() - start, 1),
        "resident_mb": sum(s.resident_bytes for s in stores.values() if s) // 2**20,
    }
    none = dict.fromkeys(RARE, 0.0)
    variants = {"default": {}, "plain": none}
    variants |= {f"plain + {name}": {k: v for k, v in none.items() if k != name} for name in RARE}
    if not stores["rir"]:
        del variants["plain + reverb"]
    for name, changes in variants.items():
        dataset = mixture_dataset(
            **stores, data=DataConfig(**changes), frontend=frontend, batch=BATCH, seed=0
        )
        batch_ms = cpu_ms_per_batch(dataset, arguments.batches)
        result[name] = {
            "ms_per_example": round(batch_ms / BATCH, 2),
            "times_real_time": round(1000.0 * BATCH * data.segment_s / batch_ms),
            "reference_fft_ms": round(
                reference_fft_ms(frontend, dataset.element_spec[0].shape[1]), 2
            ),
        }
        print(f"{name:22} {result[name]}", file=sys.stderr, flush=True)
    result["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps(result))


if __name__ == "__main__":
    main()
