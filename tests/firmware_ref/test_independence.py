"""firmware_ref runs where nothing but Python's standard library and NumPy is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from known_models import KNOWN_MODELS

import firmware_ref
from firmware_ref.interpreter import Interpreter

_BARE = """
import sys
sys.path.append(sys.argv[1])
for absent in ("tensorflow", "tf_keras", "flatbuffers", "tflite_micro", "matplotlib", "tfkd"):
    try:
        __import__(absent)
    except ImportError:
        continue
    raise SystemExit(f"{absent} can be imported here: the test proves nothing")
"""

_RUN = """
import numpy as np
from firmware_ref.interpreter import Interpreter
interpreter = Interpreter(model_path=sys.argv[2])
interpreter.allocate_tensors()
frame = interpreter.get_input_details()[0]
value = np.random.default_rng(7).integers(-128, 128, frame["shape"]).astype(np.int8)
interpreter.set_tensor(frame["index"], value)
interpreter.invoke()
print(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).ravel().tolist())
"""

_REPORT = """
import runpy
sys.argv = ["firmware_ref", sys.argv[2], "--target", "nano33ble", "--json"]
runpy.run_module("firmware_ref", run_name="__main__")
"""


@pytest.fixture
def bare_site(tmp_path: Path) -> Path:
    """A directory with NumPy and firmware_ref, and nothing else."""
    site = tmp_path / "site"
    site.mkdir()
    numpy = Path(np.__file__).parent
    (site / "numpy").symlink_to(numpy)
    libraries = numpy.parent / "numpy.libs"
    if libraries.exists():
        (site / "numpy.libs").symlink_to(libraries)
    (site / "firmware_ref").symlink_to(Path(firmware_ref.__file__).parent)
    return site


def run_bare(site: Path, program: str, model: Path) -> str:
    """Standard output of `program` in a Python without site-packages (-S), isolated (-I)."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _BARE + program, str(site), str(model)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def unet(tmp_path: Path) -> Path:
    path = tmp_path / "unet.tflite"
    path.write_bytes(KNOWN_MODELS["unet"]())
    return path


def test_the_command_reports(bare_site: Path, unet: Path) -> None:
    report = json.loads(run_bare(bare_site, _REPORT, unet))
    assert report["target"]["fits"] is True
    assert report["arena"]["used_bytes"] == 6244


def test_the_interpreter_computes_the_same(bare_site: Path, unet: Path) -> None:
    interpreter = Interpreter(model_path=unet)
    interpreter.allocate_tensors()
    frame = interpreter.get_input_details()[0]
    value = np.random.default_rng(7).integers(-128, 128, frame["shape"]).astype(np.int8)
    interpreter.set_tensor(frame["index"], value)
    interpreter.invoke()
    here = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert json.loads(run_bare(bare_site, _RUN, unet)) == here.ravel().tolist()
