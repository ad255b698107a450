"""Random one-operator models: `ONE_OP_MODELS[name](rng)` draws a `Case`.

A name is the operator's, with a suffix where one operator has several families of types:
"CONV_2D", "CONV_2D/16x8". Every case is a valid model of TFLM.
"""

from __future__ import annotations

from one_op_activation import ACTIVATION_MODELS
from one_op_arithmetic import ARITHMETIC_MODELS
from one_op_blocks import BLOCK_MODELS
from one_op_case import Case as Case
from one_op_case import Draw
from one_op_convolution import CONVOLUTION_MODELS
from one_op_shape import SHAPE_MODELS
from one_op_state import STATE_MODELS

ONE_OP_MODELS: dict[str, Draw] = {
    **CONVOLUTION_MODELS,
    **ARITHMETIC_MODELS,
    **ACTIVATION_MODELS,
    **SHAPE_MODELS,
    **BLOCK_MODELS,
    **STATE_MODELS,
}
