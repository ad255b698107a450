"""Quantisation-aware form of a deployed model; the only importer of tensorflow-model-optimization.

Every weight is fake-quantised per output channel (depthwise ones, too), every activation per
tensor, exactly where TFLite quantises: the input, outputs of ReLU6, of linear convolutions and of
additions. Other padding, reshape and upsampling pass their input's range on; the sigmoid's range is
fixed by TFLite. tfmot's default scheme is not used: it leaves the weights of every convolution that
a ReLU follows, and of depthwise ones, without fake quantisation.

Ranges come from a float pass over real batches before the first step, not from tfmot's initial
+-6. Two are fixed, with scales that are powers of two: the input's, so that quantising a feature is
exact everywhere, and that of the sigmoid's input, because TFLite and TFLite Micro round its
multiplier differently at some other scales.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras as keras

from tfkd.errors import ModelError
from tfkd.models.dae import INPUT, LOGITS, QUANTIZED

Range = tuple[float, float]
FIXED_RANGES: dict[str, Range] = {
    INPUT: (-1.0, 127 / 128),  # scale 2^-7, zero point 0
    LOGITS: (-8.0, 8 * 127 / 128),  # scale 2^-4, zero point 0
}
_api = tfmot.quantization.keras


@keras.utils.register_keras_serializable("tfkd")
class DepthwiseKernelQuantizer(_api.quantizers.LastValueQuantizer):
    """Symmetric 8-bit range per channel of a depthwise kernel [k_t, k_f, channels, 1]."""

    def __init__(self) -> None:
        super().__init__(num_bits=8, per_axis=True, symmetric=True, narrow_range=True)

    def build(self, tensor_shape, name, layer):
        time_kernel, kernel, channels, _ = tensor_shape
        return super().build(tf.TensorShape((time_kernel, kernel, 1, channels)), name, layer)

    def __call__(self, inputs, training, weights, **kwargs):
        channels_last = tf.transpose(inputs, (0, 1, 3, 2))  # [k_t, k_f, 1, channels]
        quantized = super().__call__(channels_last, training, weights, **kwargs)
        return tf.transpose(quantized, (0, 1, 3, 2))  # [k_t, k_f, channels, 1]

    def get_config(self):
        return {}


@keras.utils.register_keras_serializable("tfkd")
class FixedRangeQuantizer(_api.quantizers.Quantizer):
    """Asymmetric 8-bit fake quantisation in a range that never moves.

    Args:
        low, high: the real values of -128 and 127.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def build(self, tensor_shape, name, layer):
        return {}

    def __call__(self, inputs, training, weights, **kwargs):
        return tf.quantization.fake_quant_with_min_max_args(inputs, self.low, self.high, num_bits=8)

    def get_config(self):
        return {"low": self.low, "high": self.high}


@keras.utils.register_keras_serializable("tfkd")
class LayerQuantizeConfig(_api.QuantizeConfig):
    """Which tensors of one layer are fake-quantised.

    Args:
        weight: attribute of the kernel to quantise per channel: "kernel", "depthwise_kernel" or
            None.
        output: whether the layer's output has a range of its own.
        fixed: that range, if it must not move.
    """

    def __init__(self, weight: str | None, output: bool, fixed: Range | None = None) -> None:
        self.weight = weight
        self.output = output
        self.fixed = fixed

    def get_weights_and_quantizers(self, layer):
        if self.weight is None:
            return []
        if self.weight == "depthwise_kernel":
            quantizer = DepthwiseKernelQuantizer()
        else:
            quantizer = _api.quantizers.LastValueQuantizer(
                num_bits=8, per_axis=True, symmetric=True, narrow_range=True
            )
        return [(getattr(layer, self.weight), quantizer)]

    def set_quantize_weights(self, layer, quantize_weights):
        if self.weight is not None:
            setattr(layer, self.weight, quantize_weights[0])

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_output_quantizers(self, layer):
        if not self.output:
            return []
        if self.fixed is not None:
            return [FixedRangeQuantizer(*self.fixed)]
        return [
            _api.quantizers.MovingAverageQuantizer(
                num_bits=8, per_axis=False, symmetric=False, narrow_range=False
            )
        ]

    def get_config(self):
        return {"weight": self.weight, "output": self.output, "fixed": self.fixed}


class AsAnnotated(_api.QuantizeScheme):
    """Quantise what the annotations say: no layer is rewritten, no default applies."""

    def get_layout_transformer(self):
        return self

    def apply(self, model, layer_quantize_map):
        return model, layer_quantize_map

    def get_quantize_registry(self):
        return self

    def supports(self, layer):
        return False


@tf.autograph.experimental.do_not_convert
def quantization_aware(deployed: keras.Model, ranges: Mapping[str, Range]) -> keras.Model:
    """Wrap a deployed model in fake quantisation.

    Args:
        deployed: a model in `Form.DEPLOYED`.
        ranges: layer name -> (min, max) of its output, for every layer that `quantized_outputs`
            names; see `calibrate`.

    Returns:
        A functional Keras model with the same input and output; its layers are the deployed ones,
        wrapped, with the prefix "quant_".
    """
    outputs = set(quantized_outputs(deployed))

    def annotate(layer: keras.layers.Layer) -> keras.layers.Layer:
        weight = {keras.layers.Conv2D: "kernel", keras.layers.DepthwiseConv2D: "depthwise_kernel"}
        config = LayerQuantizeConfig(
            weight.get(type(layer)), layer.name in outputs, FIXED_RANGES.get(layer.name)
        )
        return _api.quantize_annotate_layer(layer, config)

    annotated = keras.models.clone_model(deployed, clone_function=annotate)
    annotated.set_weights(deployed.get_weights())
    model = _api.quantize_apply(
        annotated, scheme=AsAnnotated(), quantized_layer_name_prefix=QUANTIZED
    )
    for name in outputs:
        low, high = ranges[name]
        for variable in model.get_layer(QUANTIZED + name).weights:
            if variable.name.endswith("/output_min:0"):
                variable.assign(low)
            elif variable.name.endswith("/output_max:0"):
                variable.assign(high)
    assign_weight_ranges(model)
    return model


def assign_weight_ranges(model: keras.Model) -> None:
    """Set the range of every kernel to what its weights are now.

    A training step updates the ranges before the weights: after training they are those of the
    last but one step, and the model would compute on another grid than the converted one.
    """
    for layer in model.layers[1:]:
        if layer.quantize_config.weight is not None:
            _assign_weight_range(layer)


def _assign_weight_range(layer: keras.layers.Layer) -> None:
    """Symmetric range per output channel, +-max |w|, as the quantiser tracks it in training."""
    name = layer.quantize_config.weight
    channel_axis = 2 if name == "depthwise_kernel" else 3
    kernel = np.abs(weight_of(layer).numpy())
    bound = kernel.max(axis=tuple(axis for axis in range(4) if axis != channel_axis))
    for variable in layer.weights:
        if variable.name.endswith(f"/{name}_min:0"):
            variable.assign(-bound)
        elif variable.name.endswith(f"/{name}_max:0"):
            variable.assign(bound)


def round_weights(model: keras.Model) -> None:
    """Put every kernel on the grid of its range, [-127, 127] steps per channel.

    Fake quantisation does the same on the fly, but two conversions of one model may round a weight
    that lies between two steps differently. On the grid, nothing is left to round.
    """
    for layer in model.layers[1:]:
        if layer.quantize_config.weight is not None:
            weight_of(layer).assign(quantized_weight(layer))


def weight_of(layer: keras.layers.Layer) -> tf.Variable:
    """The trainable kernel of a wrapped layer (its attribute holds the fake-quantised tensor)."""
    name = layer.quantize_config.weight
    return next(v for v in layer.trainable_weights if v.name.split("/")[-1] == f"{name}:0")


def quantized_outputs(deployed: keras.Model) -> list[str]:
    """Layers whose output gets a range of its own.

    The input, ReLU6, Add, and convolutions that no ReLU6 follows.
    """
    followed_by_relu = set()
    for layer in deployed.layers:
        if isinstance(layer, keras.layers.ReLU):
            followed_by_relu.add(layer.input.node.layer.name)
    convolutions = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    return [
        layer.name
        for layer in deployed.layers
        if isinstance(layer, (keras.layers.ReLU, keras.layers.Add))
        or layer.name == INPUT
        or (isinstance(layer, convolutions) and layer.name not in followed_by_relu)
    ]


def calibrate(deployed: keras.Model, batches: Iterable[tf.Tensor]) -> dict[str, Range]:
    """Smallest and largest value of every quantised tensor over real batches.

    Args:
        deployed: a model in `Form.DEPLOYED`.
        batches: features [batch, frames, bands, 1].

    Returns:
        Layer name -> (min, max); zero lies in every range, as TFLite needs it to. The input's is
        [-1, 1].

    Raises:
        ModelError: no batch came.
    """
    names = quantized_outputs(deployed)
    probe = keras.Model(deployed.inputs, [deployed.get_layer(name).output for name in names])

    @partial(tf.function, autograph=False)
    def extremes(features: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        values = probe(features, training=False)
        return [tf.reduce_min(v) for v in values], [tf.reduce_max(v) for v in values]

    low = np.zeros(len(names), np.float32)
    high = np.zeros(len(names), np.float32)
    count = 0
    for features in batches:
        smallest, largest = extremes(features)
        low, high = np.minimum(low, smallest), np.maximum(high, largest)
        count += 1
    if not count:
        raise ModelError("calibration needs at least one batch of features; none came.")
    ranges = {
        name: (float(a), float(max(b, a + 1e-3)))
        for name, a, b in zip(names, low, high, strict=True)
    }
    return ranges | FIXED_RANGES


def quantized_weight(layer: keras.layers.Layer) -> np.ndarray:
    """The kernel of a wrapped layer on its int8 grid.

    Formula, per channel: q s with q in [-127, 127] and s = max |w| / 127.
    """
    weight = weight_of(layer).numpy()
    channel_axis = 2 if layer.quantize_config.weight == "depthwise_kernel" else 3
    others = tuple(axis for axis in range(4) if axis != channel_axis)
    scale = np.abs(weight).max(axis=others, keepdims=True) / np.float32(127)
    scale = np.where(scale > 0, scale, np.float32(1))
    return (np.rint(weight / scale) * scale).astype(np.float32)
