"""`tfkd doctor`: what is installed, in which version, and what is missing."""

from __future__ import annotations

import platform
import re
import shutil
from importlib.metadata import PackageNotFoundError, requires, version

import click

from tfkd import __version__
from tfkd.cli.output import json_option, print_json
from tfkd.errors import CheckFailed

_PIN = re.compile(r"^([\w.-]+)==([\w.]+)\s*(?:;\s*(.+))?$")
_TOOLS = {
    "cc": "compiles exported C code",
    "arm-none-eabi-gcc": "compiles it for Cortex-M",
    "qemu-system-arm": "runs it on an emulated Cortex-M",
}
_SUPPORTED_PYTHON = ((3, 10), (3, 12))


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Report versions against the tested ones.

    Paste this into a bug report. Exit code 3 when a required package is missing or Python is
    not supported.

    \b
    Example:
      tfkd doctor
    """
    packages = _packages()
    tools = {name: shutil.which(name) for name in _TOOLS}
    low, high = _SUPPORTED_PYTHON
    python_supported = low <= tuple(map(int, platform.python_version_tuple()[:2])) <= high
    if as_json:
        print_json(
            "doctor",
            {
                "python": platform.python_version(),
                "python_supported": python_supported,
                "platform": platform.platform(),
                "packages": packages,
                "tools": tools,
            },
        )
    else:
        note = "" if python_supported else "  NOT SUPPORTED, expected 3.10 to 3.12"
        click.echo(f"Python {platform.python_version()} on {platform.platform()}{note}")
        for name, entry in packages.items():
            click.echo(f"  {name:30} {entry['installed'] or '-':25} {_verdict(entry)}")
        for name, purpose in _TOOLS.items():
            click.echo(f"  {name:30} {tools[name] or 'not found'}  (optional: {purpose})")
    missing = [name for name, entry in packages.items() if entry["installed"] is None]
    if missing or not python_supported:
        problems = [f"missing: {', '.join(missing)}"] if missing else []
        problems += [] if python_supported else ["unsupported Python"]
        raise CheckFailed(f"{'; '.join(problems)}. Install requirements.txt into Python 3.10-3.12.")


def _packages() -> dict[str, dict[str, str | None]]:
    """Pinned packages of this platform: tested and installed versions."""
    found: dict[str, dict[str, str | None]] = {}
    try:
        requirements = requires("tfkd") or []
    except PackageNotFoundError:  # imported from a source tree
        return {"tfkd": {"tested": __version__, "installed": None}}
    for requirement in requirements:
        pin = _PIN.match(requirement)
        if pin is None or not _applies(pin[3]):
            continue
        try:
            installed: str | None = version(pin[1])
        except PackageNotFoundError:
            installed = None
        found[pin[1]] = {"tested": pin[2], "installed": installed}
    return found


def _applies(marker: str | None) -> bool:
    """Whether a requirement's environment marker holds here; extras count as not required."""
    from packaging.markers import Marker

    return marker is None or Marker(marker).evaluate({"extra": ""})


def _verdict(entry: dict[str, str | None]) -> str:
    if entry["installed"] is None:
        return f"MISSING, tested with {entry['tested']}"
    if entry["installed"] != entry["tested"]:
        return f"untested, tested with {entry['tested']}"
    return "ok"
