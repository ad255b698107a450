"""Draw the figures of docs/how-it-works.md: python scripts/draw_figures.py

Plain SVG on a white panel, so that a page shows them alike in light and dark. Numbers come from the
student `tiny`.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

from tfkd.config import FrontEndConfig
from tfkd.config_file import load_config

FIGURES = Path(__file__).parent.parent / "docs" / "figures"
INK, FAINT, BLUE, GREEN, ORANGE = "#1d2733", "#6b7785", "#dbe9f9", "#d9f0df", "#fce6cf"

Point = tuple[float, float]


class Drawing:
    """An SVG of boxes, arrows and words, written in the order of the calls."""

    def __init__(self, width: int, height: int, title: str) -> None:
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" '
            f'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
            f"<title>{escape(title)}</title>",
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            f'markerHeight="7" orient="auto-start-reverse"><path d="M0 0 10 5 0 10z" fill="{INK}"/>'
            "</marker></defs>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#ffffff"/>',
        ]

    def text(
        self, x: float, y: float, words: str, *, size: int = 13, anchor: str = "middle",
        colour: str = INK, bold: bool = False,
    ) -> None:  # fmt: skip
        weight = ' font-weight="600"' if bold else ""
        self._parts.append(
            f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{colour}"{weight}>{escape(words)}</text>'
        )

    def box(
        self, x: float, y: float, width: float, height: float, lines: list[str],
        fill: str = "#f4f6f8",
    ) -> None:  # fmt: skip
        """A rounded box; the first line is bold."""
        self._parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6" '
            f'fill="{fill}" stroke="{INK}" stroke-width="1.2"/>'
        )
        top = y + height / 2 - 8.5 * (len(lines) - 1) + 4.5
        for number, line in enumerate(lines):
            self.text(
                x + width / 2, top + 17 * number, line, size=12 if number else 13, bold=not number
            )

    def shape(self, points: list[Point], fill: str, dashed: bool = False) -> None:
        """A closed polygon."""
        corners = " ".join(f"{x:g},{y:g}" for x, y in points)
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        self._parts.append(
            f'<polygon points="{corners}" fill="{fill}" stroke="{INK}" stroke-width="1.2"{dash}/>'
        )

    def arrow(self, points: list[Point], *, dashed: bool = False, both: bool = False) -> None:
        """A line with a tip at its end, or at both."""
        path = " ".join(f"{'L' if i else 'M'}{x:g} {y:g}" for i, (x, y) in enumerate(points))
        dash = ' stroke-dasharray="5 4"' if dashed else ""
        start = ' marker-start="url(#tip)"' if both else ""
        self._parts.append(
            f'<path d="{path}" fill="none" stroke="{INK}" stroke-width="1.4"{dash}{start} '
            f'marker-end="url(#tip)"/>'
        )

    def svg(self) -> str:
        return "\n".join([*self._parts, "</svg>", ""])


def signal_path(config: FrontEndConfig) -> str:
    """From noisy samples to enhanced ones."""
    drawing = Drawing(880, 310, "The way of one hop of samples through the denoiser")
    top, bottom, height = 50, 220, 66
    drawing.text(40, top - 22, "once every hop", anchor="start", colour=FAINT)
    bins, bands = f"{config.bins} bins", f"{config.bands}"
    noisy = ["noisy", f"{config.hop} new samples", f"{config.sample_rate // 1000} kHz"]
    drawing.box(30, top, 120, height, noisy, BLUE)
    drawing.box(200, top, 140, height, ["spectrum", f"√Hann, {config.window} samples", bins])
    features = ["features", f"{bands} log band powers", "in [-1, 1], int8"]
    drawing.box(390, top, 150, height, features)
    drawing.box(620, top - 14, 230, height + 124, [], GREEN)
    drawing.text(735, top + 18, "int8 model", bold=True, size=14)
    drawing.text(735, top + 42, "strided encoder over bands")
    drawing.text(735, top + 64, "linear inverted bottlenecks")
    drawing.text(735, top + 81, "over past frames = latent")
    drawing.text(735, top + 104, "decoder with skips, sigmoid")
    drawing.arrow([(655, top + 176), (655, top + 196), (815, top + 196), (815, top + 176)])
    drawing.text(735, top + 190, "states", size=12)
    drawing.text(735, top + 215, "int8, kept until the next hop", size=12, colour=FAINT)
    drawing.box(390, bottom, 150, height, ["mask", f"{bands} bands in [0, 1]", f"to {bins}"])
    drawing.box(200, bottom, 140, height, ["multiply", "phase stays noisy"])
    drawing.box(30, bottom, 120, height, ["enhanced", "overlap-add", "one hop late"], BLUE)
    drawing.arrow([(150, top + 33), (198, top + 33)])
    drawing.arrow([(340, top + 33), (388, top + 33)])
    drawing.arrow([(540, top + 33), (618, top + 33)])
    drawing.arrow([(620, top + 145), (580, top + 145), (580, bottom + 33), (542, bottom + 33)])
    drawing.arrow([(390, bottom + 33), (342, bottom + 33)])
    drawing.arrow([(200, bottom + 33), (152, bottom + 33)])
    drawing.arrow([(270, top + height), (270, bottom - 2)])
    drawing.text(280, (top + height + bottom) / 2 + 4, "noisy spectrum", anchor="start", size=12)
    return drawing.svg()


def _autoencoder(
    drawing: Drawing, y: float, half: float, neck: float, fill: str, name: str
) -> None:
    """Encoder, latent and decoder around the middle line y; `half` is its outer half height."""
    drawing.shape([(190, y - half), (390, y - neck), (390, y + neck), (190, y + half)], fill)
    drawing.shape([(420, y - neck), (620, y - half), (620, y + half), (420, y + neck)], fill)
    drawing.shape([(394, y - neck), (416, y - neck), (416, y + neck), (394, y + neck)], ORANGE)
    drawing.text(280, y + 5, f"{name} encoder", bold=True)
    drawing.text(528, y + 5, "decoder", bold=True)


def distillation() -> str:
    """A frozen teacher, a student, and the two terms of the loss."""
    drawing = Drawing(880, 420, "Distillation by aligning latents")
    teacher, student = 100.0, 310.0
    _autoencoder(drawing, teacher, 80, 34, BLUE, "teacher")
    _autoencoder(drawing, student, 44, 16, GREEN, "student")
    drawing.text(280, teacher + 24, "frozen", size=12)
    drawing.box(30, 180, 110, 52, ["noisy", "features"])
    drawing.arrow([(85, 180), (85, teacher), (188, teacher)])
    drawing.arrow([(85, 232), (85, student), (188, student)])
    drawing.text(396, teacher + 68, "latent t", anchor="end", size=12)
    drawing.text(396, student - 46, "latent s", anchor="end", size=12)
    drawing.box(290, 182, 230, 50, ["1 - cos(φ(s), t)", "per frame, weight λ"], ORANGE)
    drawing.arrow([(405, teacher + 34), (405, 180)])
    drawing.arrow([(405, student - 16), (405, 234)])
    drawing.text(414, 256, "φ: linear, training only", anchor="start", size=12, colour=FAINT)
    drawing.box(700, student - 26, 150, 52, ["mask × noisy", "enhanced spectrum"])
    drawing.arrow([(620, student), (698, student)])
    drawing.box(700, 182, 150, 50, ["supervised loss", "against clean"], ORANGE)
    drawing.arrow([(775, student - 26), (775, 234)])
    drawing.box(700, teacher - 26, 150, 52, ["clean", "spectrum"])
    drawing.arrow([(775, teacher + 26), (775, 180)])
    drawing.text(440, 395, "total = supervised + λ · (1 - cos), gradients to student and φ alone")
    return drawing.svg()


def latency(config: FrontEndConfig) -> str:
    """Where the algorithmic latency comes from."""
    drawing = Drawing(760, 300, "Two hops of latency")
    left, hop, line = 110.0, 150.0, 80.0
    for index in range(5):
        x = left + hop * index
        if index < 4:
            name = ["t - 2", "t - 1", "t", "t + 1"][index]
            fill = {1: ORANGE}.get(index, "#f4f6f8")
            drawing.shape([(x, line), (x + hop, line), (x + hop, line + 34), (x, line + 34)], fill)
            drawing.text(x + hop / 2, line + 22, f"hop {name}")
    drawing.text(left - 12, line + 22, "input", anchor="end", bold=True)
    drawing.arrow([(left, line - 14), (left + hop, line - 14)], both=True)
    drawing.text(left + hop / 2, line - 22, f"{config.hop_ms:g} ms = {config.hop} samples")
    window = line + 62
    start, end = left + hop, left + 3 * hop
    drawing.shape([(start, window), (end, window), (end, window + 34), (start, window + 34)], GREEN)
    drawing.text((start + end) / 2, window + 22, f"frame t: window of {config.window} samples")
    drawing.text(left - 12, window + 22, "model", anchor="end", bold=True)
    out = line + 134
    drawing.shape([(end, out), (end + hop, out), (end + hop, out + 34), (end, out + 34)], ORANGE)
    drawing.text(end + hop / 2, out + 22, "hop t - 1, enhanced")
    drawing.text(left - 12, out + 22, "output", anchor="end", bold=True)
    drawing.arrow([(end + 1, window + 36), (end + 1, out - 2)])
    drawing.arrow([(start, out + 56), (end, out + 56)], both=True)
    drawing.text((start + end) / 2, out + 50, f"{config.latency_ms:g} ms, no look-ahead", bold=True)
    when = "as soon as hop t is complete"
    drawing.text(end + 8, out - 12, when, anchor="start", size=12, colour=FAINT)
    return drawing.svg()


def proof() -> str:
    """What is held equal to what on the way to the chip."""
    drawing = Drawing(880, 300, "The chain of equalities from training to the chip")
    drawing.box(30, 40, 190, 62, ["float student", "Keras, whole recordings"], BLUE)
    drawing.box(30, 210, 190, 62, ["float stream", "one frame, states"], BLUE)
    drawing.arrow([(125, 102), (125, 208)], both=True)
    drawing.text(133, 152, "equal within", anchor="start", size=12)
    drawing.text(133, 168, "1e-5", anchor="start", size=12)
    drawing.box(300, 40, 190, 62, ["quantised student", "fake quantisation"], BLUE)
    drawing.box(300, 210, 190, 62, ["quantised stream", "one frame, states"], BLUE)
    drawing.arrow([(395, 102), (395, 208)], both=True)
    drawing.text(403, 160, "equal", anchor="start", size=12)
    drawing.arrow([(220, 71), (298, 71)])
    drawing.text(259, 62, "QAT", size=12)
    drawing.box(570, 210, 110, 62, ["model.tflite", "int8"], ORANGE)
    drawing.arrow([(490, 241), (568, 241)])
    drawing.text(529, 232, "convert", size=12)
    drawing.arrow([(625, 210), (625, 165)])
    drawing.shape([(560, 20), (850, 20), (850, 165), (560, 165)], GREEN, dashed=True)
    drawing.text(705, 42, "the same bits in every tensor", bold=True)
    for index, name in enumerate(("TFLite Micro", "firmware_ref", "exported C99")):
        drawing.box(575 + (index % 2) * 140, 56 + (index // 2) * 52, 125, 40, [name], "#ffffff")
    drawing.text(780, 132, "arena and states", size=12)
    drawing.text(780, 148, "predicted exactly", size=12)
    drawing.arrow([(680, 241), (728, 241)])
    drawing.box(730, 210, 120, 62, ["your chip", "target limits"])
    return drawing.svg()


def figures() -> dict[str, str]:
    """File name -> SVG."""
    config = load_config("tiny").model.frontend
    return {
        "signal-path.svg": signal_path(config),
        "distillation.svg": distillation(),
        "latency.svg": latency(config),
        "proof.svg": proof(),
    }


if __name__ == "__main__":
    for name, svg in figures().items():
        (FIGURES / name).write_text(svg, encoding="utf-8")
