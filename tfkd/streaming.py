"""A trained functional model, re-read node by node as one streaming step with explicit states.

No second model and no copied weights: each layer is called as it is, except that a causal padding
takes its past frames from a state instead of from zeros. One step maps (frame, *states) to (mask,
*new states); the new states have the shapes, and once quantised the scales, of the old ones, in the
same order. All states start at 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfkd.quantize import quantized_weight


@dataclass(frozen=True)
class StreamingStep:
    """One streaming step of a model.

    Attributes:
        function: tf.function (frame [1, 1, bands, 1], *states) -> (mask [1, 1, bands, 1],
            *new_states).
        state_shapes: shape of each state, [1, past frames, bands, channels].
    """

    function: tf.types.experimental.PolymorphicFunction
    bands: int
    state_shapes: tuple[tuple[int, int, int, int], ...]

    def zero_states(self) -> list[tf.Tensor]:
        return [tf.zeros(shape) for shape in self.state_shapes]

    def run(self, features: tf.Tensor) -> tf.Tensor:
        """Feed features [frames, bands] frame by frame; returns masks [frames, bands]."""
        states = self.zero_states()
        masks = []
        for frame in tf.reshape(features, (-1, 1, 1, self.bands, 1)):
            mask, *states = self.function(frame, *states)
            masks.append(tf.reshape(mask, (self.bands,)))
        return tf.stack(masks)


def streaming_step(model: keras.Model) -> StreamingStep:
    """Make a streaming step of a model in `Form.DEPLOYED`, or of its quantisation-aware form.

    In the quantisation-aware form the weights enter as constants that already lie on their int8
    grid, so the exported graph holds fake quantisation on activations only, and the converter finds
    the same grid again: symmetric per channel, +-max |w|.
    """
    order = list(model.layers)
    producers = {layer.name: _producers(layer) for layer in order}
    past = {layer.name: _past_frames(layer) for layer in order}
    shapes = tuple(
        (1, past[layer.name], *_input_bands_channels(layer)) for layer in order if past[layer.name]
    )
    bands = model.input_shape[2]
    output_ranges = {layer.name: _output_range(layer) for layer in order}
    kernels = {layer.name: _kernel(layer) for layer in order}

    def step(frame: tf.Tensor, *states: tf.Tensor) -> tuple[tf.Tensor, ...]:
        values: dict[str, tf.Tensor] = {}
        ranges: dict[str, Callable[[tf.Tensor], tf.Tensor]] = {}
        new_states: list[tf.Tensor] = []
        for layer in order:
            if isinstance(layer, keras.layers.InputLayer):
                values[layer.name] = frame
                ranges[layer.name] = _identity
                continue
            inputs = [values[name] for name in producers[layer.name]]
            incoming = ranges[producers[layer.name][0]]
            outgoing = output_ranges[layer.name]
            inner = getattr(layer, "layer", layer)
            if past[layer.name]:
                state = incoming(states[len(new_states)])
                history = tf.concat([state, inputs[0]], axis=1)  # [1, past + 1, bands, channels]
                new_states.append(history[:, -past[layer.name] :])
                value = _pad_bands(inner, history)
            else:
                value = _call(inner, inputs, kernels[layer.name])
                if outgoing is not None:
                    value = outgoing(value)
            values[layer.name] = value
            # Layers that only move values pass their input's range on.
            ranges[layer.name] = outgoing or incoming
        return (values[order[-1].name], *new_states)

    signature = [tf.TensorSpec((1, 1, bands, 1), tf.float32, name="frame")] + [
        tf.TensorSpec(shape, tf.float32, name=f"state{i}") for i, shape in enumerate(shapes)
    ]
    return StreamingStep(
        tf.function(step, input_signature=signature, autograph=False), bands, shapes
    )


def _identity(value: tf.Tensor) -> tf.Tensor:
    return value


def _producers(layer: keras.layers.Layer) -> list[str]:
    if isinstance(layer, keras.layers.InputLayer):
        return []
    inbound = layer.inbound_nodes[-1].inbound_layers
    return [producer.name for producer in (inbound if isinstance(inbound, list) else [inbound])]


def _past_frames(layer: keras.layers.Layer) -> int:
    """Frames of the past that a layer needs: its causal time padding."""
    inner = getattr(layer, "layer", layer)
    return inner.padding[0][0] if isinstance(inner, keras.layers.ZeroPadding2D) else 0


def _input_bands_channels(layer: keras.layers.Layer) -> Sequence[int]:
    return tuple(layer.input_shape[2:])


def _pad_bands(layer: keras.layers.ZeroPadding2D, value: tf.Tensor) -> tf.Tensor:
    low, high = layer.padding[1]
    return tf.pad(value, [[0, 0], [0, 0], [low, high], [0, 0]]) if low or high else value


def _output_range(layer: keras.layers.Layer) -> Callable[[tf.Tensor], tf.Tensor] | None:
    """Fake quantisation by the range of a wrapped layer's output, if it has one."""
    wrapped = getattr(layer, "quantize_config", None)
    if wrapped is not None and wrapped.fixed is not None:
        return _fake_quantization(*wrapped.fixed)
    bounds = {
        variable.name.split("/")[-1]: float(variable.numpy())
        for variable in layer.weights
        if variable.name.endswith(("/output_min:0", "/output_max:0"))
    }
    if not bounds:
        return None
    return _fake_quantization(bounds["output_min:0"], bounds["output_max:0"])


def _fake_quantization(low: float, high: float) -> Callable[[tf.Tensor], tf.Tensor]:
    return lambda value: tf.quantization.fake_quant_with_min_max_vars(value, low, high, num_bits=8)


def _kernel(layer: keras.layers.Layer) -> np.ndarray | None:
    """Kernel of a wrapped convolution on its int8 grid; None for every other layer."""
    wrapped = getattr(layer, "quantize_config", None)
    return quantized_weight(layer) if wrapped is not None and wrapped.weight else None


def _call(
    layer: keras.layers.Layer, inputs: list[tf.Tensor], kernel: np.ndarray | None
) -> tf.Tensor:
    """Call a layer on its inputs; a quantised convolution with its kernel as a constant."""
    if isinstance(layer, keras.layers.Reshape):
        # The layer's own target holds the training's number of frames.
        return tf.reshape(inputs[0], (1, 1, *layer.target_shape[1:]))
    if kernel is None:
        return layer(inputs if len(inputs) > 1 else inputs[0])
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        value = tf.nn.depthwise_conv2d(
            inputs[0], kernel, (1, 1, 1, 1), "VALID", dilations=layer.dilation_rate
        )
    else:
        value = tf.nn.conv2d(inputs[0], kernel, layer.strides, layer.padding.upper())
    return tf.nn.bias_add(value, layer.bias)
