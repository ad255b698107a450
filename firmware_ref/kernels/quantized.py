"""What integer kernels ask of their tensors before they compute with scales."""

from __future__ import annotations

from firmware_ref.node import Node, View


def require_scales(node: Node, *views: View) -> None:
    """ModelError unless every one of these tensors is quantised, with a scale above 0."""
    for view in views:
        if view.scale <= 0:
            raise node.error(
                f"needs a scale above 0 for tensor {view.tensor.name!r}, received {view.scale}"
            )


def require_same_size(node: Node, x: View, y: View) -> None:
    """ModelError unless both tensors have the same number of elements."""
    if x.array.size != y.array.size:
        raise node.error(f"turns a tensor of shape {x.shape} into one of shape {y.shape}")
