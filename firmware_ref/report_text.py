"""The report for people: tables of text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from firmware_ref.fit import Fit
from firmware_ref.report import CYCLES_NOTE, Report
from firmware_ref.targets import KIB, MHZ, TARGETS, Target


def _table(rows: Sequence[Sequence[str]], left: frozenset[int]) -> Iterator[str]:
    """Rows of text in columns; those in `left` are flush left, the others flush right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            text.ljust(width) if column in left else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def report_as_text(report: Report) -> str:
    """Model, operators, arena and, with a chip, its limits."""
    return "\n".join([*_model_lines(report), "", *_arena_lines(report), *_fit_lines(report)])


def _model_lines(report: Report) -> Iterator[str]:
    counts = Counter(row.name for row in report.operators)
    names = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    yield report.path
    yield f"  file       {report.model_bytes:,} B, of it weights {report.weights_bytes:,} B"
    yield f"  MACs       {report.macs:,} per inference"
    yield f"  operators  {len(report.operators)}: {names}"
    yield ""
    rows = [("", "operator", "output", "MACs", "weights B")]
    for row in report.operators:
        index = str(row.index) if row.subgraph == 0 else f"{row.subgraph}.{row.index}"
        shape = "x".join(map(str, row.output_shape))
        rows.append((index, row.name, shape, f"{row.macs:,}", f"{row.weights_bytes:,}"))
    yield from _table(rows, frozenset({1, 2}))


def _arena_lines(report: Report) -> Iterator[str]:
    plan = report.plan
    kernels = "CMSIS-NN" if report.cmsis_nn else "reference"
    yield f"arena ({plan.abi}, {kernels} kernels)"
    rows = [
        ("  head", f"{plan.head_bytes:,} B", "activations and scratch memory"),
        ("  tail", f"{plan.tail_bytes:,} B", "TFLM's own structs, kernel data, variables"),
        ("  used", f"{plan.total_bytes:,} B", "what TFLM reports once it has set up"),
        ("  smallest", f"{plan.min_bytes:,} B", "what tensor_arena must have, aligned to 16"),
    ]
    yield from _table(rows, frozenset({0, 2}))
    spent = sorted(plan.categories.items(), key=lambda item: -item[1].used_bytes)
    yield "  the tail holds"
    parts = [(f"    {name}", f"{usage.used_bytes:,} B") for name, usage in spent]
    yield from _table(parts, frozenset({0}))


def _fit_lines(report: Report) -> Iterator[str]:
    if report.fit is None:
        return
    target = report.fit.target
    yield ""
    yield f"{target.name}: {target.chip}, {target.core}, {target.clock_hz // MHZ} MHz"
    yield f"  source     {target.source}{'' if target.is_verified else ' (not verified)'}"
    if not target.is_arm:
        yield "  note       structs are counted as on a 32-bit Arm; they may differ by some bytes"
    yield from _budget_lines(report.fit)
    yield from _cycle_lines(report, target)
    yield f"  {'fits' if report.fit.fits else 'does not fit'}"


def _budget_lines(fit: Fit) -> Iterator[str]:
    rows = [
        (
            f"  {budget.name}",
            f"{budget.needed_bytes:,} B",
            "of",
            f"{budget.usable_bytes:,} B usable,",
            f"margin {budget.margin_bytes:+,} B",
            "" if budget.fits else "TOO SMALL",
        )
        for budget in fit.budgets
    ]
    yield from _table(rows, frozenset({0, 5}))


def _cycle_lines(report: Report, target: Target) -> Iterator[str]:
    if report.cycles is None:
        yield f"  cycles     no estimate: nobody counted instructions per MAC on a {target.core}"
        return
    band = report.cycles
    yield (
        f"  cycles     {band.low / 1e6:.2f} to {band.high / 1e6:.2f} million, "
        f"{band.low_ms:.1f} to {band.high_ms:.1f} ms per inference ({CYCLES_NOTE})"
    )


def targets_as_text() -> str:
    """The table of chips."""
    head = ("name", "chip", "core", "flash KiB", "SRAM KiB", "one block", "MHz", "SIMD", "verified")
    rows = [head]
    for target in TARGETS.values():
        flash = f"{target.flash_bytes // KIB}{' ext.' if target.has_external_flash else ''}"
        rows.append(
            (
                target.name,
                target.chip,
                target.core,
                flash,
                str(target.sram_bytes // KIB),
                str(target.largest_block_bytes // KIB),
                str(target.clock_hz // MHZ),
                target.simd,
                "yes" if target.is_verified else "no",
            )
        )
    return "\n".join(_table(rows, frozenset({0, 1, 2, 7, 8})))
