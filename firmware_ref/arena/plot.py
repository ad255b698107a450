"""The arena over time as a picture. Needs matplotlib, which nothing else in firmware_ref does."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from firmware_ref.arena.plan import ArenaPlan
from firmware_ref.errors import FirmwareRefError
from firmware_ref.whole_file import whole_file

INCHES_PER_STEP = 0.22


def save_arena_plot(
    plan: ArenaPlan, path: str | os.PathLike[str], title: str = "Tensor arena"
) -> None:
    """Draw the planned part of the arena: steps to the right, bytes upwards, a box per buffer.

    Args:
        plan: what to draw.
        path: file to write; its suffix chooses the format, such as .png or .svg.
        title: above the picture.

    Raises:
        FirmwareRefError: matplotlib is not installed, or the file cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise FirmwareRefError("a picture needs matplotlib. Install it: pip install matplotlib")
    from matplotlib import colormaps
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    path = Path(path)
    steps = len(plan.steps)
    figure = Figure(figsize=(min(40.0, max(6.0, INCHES_PER_STEP * steps)), 5.0))
    axes = figure.subplots()
    colours = colormaps["tab20"]
    for index, (planned, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        buffer = planned.buffer
        span = buffer.last_used - buffer.first_used + 1
        is_scratch = planned.tensor_index is None
        axes.add_patch(
            Rectangle(
                (buffer.first_used - 0.5, offset),
                span,
                buffer.size_bytes,
                facecolor=colours(index % 20),
                edgecolor="black",
                linewidth=0.5,
                hatch="//" if is_scratch else None,
            )
        )
        if span * buffer.size_bytes > 0.02 * steps * plan.head_bytes:
            axes.text(
                buffer.first_used - 0.5 + span / 2,
                offset + buffer.size_bytes / 2,
                f"{planned.content_bytes} B",
                ha="center",
                va="center",
                fontsize=6,
            )
    axes.set_xlim(-0.5, steps - 0.5)
    axes.set_ylim(0, max(1, plan.head_bytes) * 1.02)
    axes.set_xticks(range(steps), plan.steps, rotation=90, fontsize=6)
    axes.set_xlabel("operator (hatched: scratch memory)")
    axes.set_ylabel("bytes from the arena's start")
    axes.set_title(
        f"{title}: head {plan.head_bytes} B, tail {plan.tail_bytes} B, "
        f"smallest arena {plan.min_bytes} B ({plan.abi})",
        fontsize=9,
    )
    figure.tight_layout()
    try:
        with whole_file(path) as temporary:
            figure.savefig(temporary, dpi=150, format=path.suffix[1:] or "png")
    except OSError as error:
        raise FirmwareRefError(f"cannot write {path}: {error.strerror}.") from error
    except ValueError as error:  # matplotlib lists the formats that it has
        raise FirmwareRefError(f"cannot write {path}: {error}.") from error
