"""`tfkd doctor`: what is installed, in which version, and what is missing."""

from __future__ import annotations

import platform
import re
import shutil
from ctypes.util import find_library
from importlib.metadata import PackageNotFoundError, requires, version

import click

from tfkd import __version__
from tfkd.cli.output import json_option, print_json
from tfkd.errors import CheckFailed

_PIN = re.compile(r"^([\w.-]+)==([\w.]+)\s*(?:;\s*(.+))?$")
_EXTRAS = {
    "live": "microphone and loudspeaker for `tfkd live`",
    "ray": "studies on more than one machine",
}
_LIBRARIES = {"portaudio": "what `tfkd live` reaches the sound card through"}
_TOOLS = {
    "cc": "compiles exported C code",
    "arm-none-eabi-gcc": "compiles it for Cortex-M",
    "qemu-system-arm": "runs it on an emulated Cortex-M",
}
_SUPPORTED_PYTHON = ((3, 10), (3, 12))

Packages = dict[str, dict[str, str | None]]


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Report versions against the tested ones, and which optional parts are missing.

    Paste this into a bug report. Exit code 3 when a required package is missing or Python is
    not supported.

    \b
    Example:
      tfkd doctor
    """
    packages = _packages()
    extras = {extra: _packages(extra) for extra in _EXTRAS}
    libraries = {name: find_library(name) for name in _LIBRARIES}
    tools = {name: shutil.which(name) for name in _TOOLS}
    low, high = _SUPPORTED_PYTHON
    python_supported = low <= tuple(map(int, platform.python_version_tuple()[:2])) <= high
    if as_json:
        print_json(
            "doctor",
            {
                "tfkd": __version__,
                "python": platform.python_version(),
                "python_supported": python_supported,
                "platform": platform.platform(),
                "packages": packages,
                "extras": extras,
                "libraries": libraries,
                "tools": tools,
            },
        )
    else:
        note = "" if python_supported else "  NOT SUPPORTED, expected 3.10 to 3.12"
        click.echo(f"tfkd {__version__}")
        click.echo(f"Python {platform.python_version()} on {platform.platform()}{note}")
        for name, entry in packages.items():
            _line(name, entry["installed"] or "-", _verdict(entry))
        click.echo("optional")
        for extra, purpose in _EXTRAS.items():
            for name, entry in extras[extra].items():
                install = f"pip install 'tfkd[{extra}]'"
                verdict = _verdict(entry) if entry["installed"] else install
                _line(name, entry["installed"] or "not installed", f"{verdict}  ({purpose})")
        for found, purposes in ((libraries, _LIBRARIES), (tools, _TOOLS)):
            for name, purpose in purposes.items():
                _line(name, found[name] or "not found", f"({purpose})")
    missing = [name for name, entry in packages.items() if entry["installed"] is None]
    if missing or not python_supported:
        problems = [f"missing: {', '.join(missing)}"] if missing else []
        problems += [] if python_supported else ["unsupported Python"]
        raise CheckFailed(f"{'; '.join(problems)}. Install requirements.txt into Python 3.10-3.12.")


def _line(name: str, found: str, remark: str) -> None:
    click.echo(f"  {name:30} {found:30} {remark}")


def _packages(extra: str = "") -> Packages:
    """Tested and installed versions of the pinned packages of this platform.

    Args:
        extra: of tfkd; empty for what is required.
    """
    found: Packages = {}
    try:
        requirements = requires("tfkd") or []
    except PackageNotFoundError:  # imported from a source tree
        return {} if extra else {"tfkd": {"tested": __version__, "installed": None}}
    for requirement in requirements:
        pin = _PIN.match(requirement)
        if pin is None or not _applies(pin[3], extra) or (extra and _applies(pin[3], "")):
            continue
        try:
            installed: str | None = version(pin[1])
        except PackageNotFoundError:
            installed = None
        found[pin[1]] = {"tested": pin[2], "installed": installed}
    return found


def _applies(marker: str | None, extra: str) -> bool:
    """Whether a requirement's environment marker holds here, for an extra or for none."""
    from packaging.markers import Marker

    return marker is None or Marker(marker).evaluate({"extra": extra})


def _verdict(entry: dict[str, str | None]) -> str:
    if entry["installed"] is None:
        return f"MISSING, tested with {entry['tested']}"
    if entry["installed"] != entry["tested"]:
        return f"untested, tested with {entry['tested']}"
    return "ok"
