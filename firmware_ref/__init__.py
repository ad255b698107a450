"""TFLite Micro in Python and NumPy, bit for bit, with its arena and a chip's memory limits.

    interpreter = firmware_ref.Interpreter(model_path="model.tflite")
    interpreter.allocate_tensors()
    firmware_ref.plan_arena("model.tflite", abi="cortex-m").total_bytes

Needs NumPy alone.
"""

from firmware_ref.arena import ArenaPlan as ArenaPlan
from firmware_ref.arena import plan_arena as plan_arena
from firmware_ref.errors import ArenaError as ArenaError
from firmware_ref.errors import FirmwareRefError as FirmwareRefError
from firmware_ref.errors import ModelError as ModelError
from firmware_ref.errors import TargetError as TargetError
from firmware_ref.errors import TensorError as TensorError
from firmware_ref.errors import UnsupportedOpError as UnsupportedOpError
from firmware_ref.interpreter import Interpreter as Interpreter
from firmware_ref.model import Model as Model
from firmware_ref.observe import OperatorRun as OperatorRun
from firmware_ref.observe import Profile as Profile
from firmware_ref.observe import TensorDump as TensorDump
from firmware_ref.reader import read_model as read_model
from firmware_ref.targets import TARGETS as TARGETS
from firmware_ref.targets import Target as Target
from firmware_ref.targets import find_target as find_target

__all__ = [
    "TARGETS",
    "ArenaError",
    "ArenaPlan",
    "FirmwareRefError",
    "Interpreter",
    "Model",
    "ModelError",
    "OperatorRun",
    "Profile",
    "Target",
    "TargetError",
    "TensorDump",
    "TensorError",
    "UnsupportedOpError",
    "find_target",
    "plan_arena",
    "read_model",
]
