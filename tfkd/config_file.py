"""Where a configuration comes from: presets, TOML files, settings, flags; and back to TOML.

Precedence, lowest first: defaults of `tfkd.config`, the model preset, the front end of the model
that a training begins with, TOML files in the order given, `key=value` settings, flags.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from tfkd.config import Config, FrontEndConfig, Section
from tfkd.errors import ConfigError, nearest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Table = Mapping[str, Any]


def preset_names() -> list[str]:
    """Names of the models that come with tfkd."""
    folder = files("tfkd").joinpath("models").joinpath("presets")
    return sorted(
        entry.name.removesuffix(".toml")
        for entry in folder.iterdir()
        if entry.name.endswith(".toml")
    )


def preset_table(name: str) -> dict[str, Any]:
    """The tables of a preset.

    Raises:
        ConfigError: no such preset; the nearest name is offered.
    """
    known = preset_names()
    if name not in known:
        raise ConfigError(
            f"unknown preset '{name}'. Expected one of {', '.join(known)}.{nearest(name, known)}"
        )
    folder = files("tfkd").joinpath("models").joinpath("presets")
    return tomllib.loads(folder.joinpath(f"{name}.toml").read_text("utf-8"))


def read_table(path: str | Path) -> dict[str, Any]:
    """The tables of a TOML file.

    Raises:
        ConfigError: the file is missing or is not TOML; the message has line and column.
    """
    try:
        return tomllib.loads(Path(path).read_text("utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not a text file. Expected TOML in UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML. {error}") from error


def parse_setting(text: str) -> tuple[str, Any]:
    """Split "train.steps=400" into key and TOML value; a bare word is taken as a string.

    Raises:
        ConfigError: there is no "=" or no key before it.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ConfigError(
            f"cannot read the setting '{text}'. Expected key=value, such as train.steps=400."
        )
    try:
        parsed = tomllib.loads(f"value = {value}")
    except tomllib.TOMLDecodeError:
        return key, value.strip()
    return key, parsed["value"] if len(parsed) == 1 else value.strip()


def load_config(
    preset: str | None = None,
    config_files: Sequence[str | Path] = (),
    settings: Iterable[str] = (),
    flags: Mapping[str, Any] | None = None,
    frontend: FrontEndConfig | None = None,
) -> Config:
    """Resolve a configuration from all its sources.

    Args:
        preset: name of a model preset; None when the files hold a [model] table.
        config_files: TOML files; later ones override earlier ones.
        settings: "dotted.key=value" texts.
        flags: dotted key -> value; None values are left out.
        frontend: of the model that a training begins with: stands above the preset.

    Raises:
        ConfigError: an unknown preset or key (the nearest is offered), or a value out of range.
    """
    layers: list[tuple[str, Table]] = []
    if preset is not None:
        layers.append((f"preset {preset}", preset_table(preset)))
    if frontend is not None:
        inherited = {"model": {"frontend": frontend.model_dump(exclude_none=True)}}
        layers.append(("the model to begin with", inherited))
    layers += [(str(path), read_table(path)) for path in config_files]
    layers += [(f"--set {text}", _nested(*parse_setting(text))) for text in settings]
    layers += [
        (f"the flag for {key}", _nested(key, value))
        for key, value in (flags or {}).items()
        if value is not None
    ]
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for origin, table in layers:
        _merge(merged, table)
        origins.update((key, origin) for key in _dotted_keys(table))
    for key, value in dotted_values(merged).items():
        if isinstance(value, str) and not _is_text(value):
            raise ConfigError(
                f"{key} = {value!r} ({origins[key]}): is not UTF-8, and cannot be kept with the "
                f"run. Rename the file or folder."
            )
    if "model" not in merged:
        raise ConfigError(
            f"no model is chosen. Expected a preset ({', '.join(preset_names())}) or a file with "
            f"a [model] table."
        )
    return _validate(merged, origins)


def _is_text(value: str) -> bool:
    """Whether it has no surrogates: Python's stand-in for bytes of file names that are no UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def read_config(path: str | Path) -> Config:
    """Read a configuration that `dump_config` wrote.

    Raises:
        ConfigError: see `load_config`.
    """
    return load_config(config_files=[path])


def dump_config(config: Config) -> str:
    """The resolved configuration as TOML text; `read_config` gives back an equal one."""
    return dump_toml(config.model_dump(exclude_none=True))


def dump_toml(table: Table) -> str:
    """Nested tables of plain values as TOML text."""
    return "\n".join(_lines(table, ())).lstrip("\n") + "\n"


def _lines(table: Table, path: tuple[str, ...]) -> Iterator[str]:
    values = {key: value for key, value in table.items() if not isinstance(value, dict)}
    if path:
        yield f"\n[{'.'.join(path)}]"
    for key, value in values.items():
        yield f"{key} = {_toml_value(value)}"
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _lines(value, (*path, key))


def _toml_value(value: bool | int | float | str | Sequence[Any]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's, except that TOML also escapes DEL.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return f"[{', '.join(_toml_value(item) for item in value)}]"


def _nested(key: str, value: object) -> dict[str, Any]:
    *tables, last = key.split(".")
    nested = {last: value}
    for table in reversed(tables):
        nested = {table: nested}
    return nested


def _merge(into: dict[str, Any], table: Table) -> None:
    for key, value in table.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _dotted_keys(table: Table, prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        yield prefix + key
        if isinstance(value, Mapping):
            yield from _dotted_keys(value, f"{prefix}{key}.")


def dotted_values(table: Table, prefix: str = "") -> dict[str, Any]:
    """Nested tables as dotted key -> value, such as "train.steps" -> 400."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= dotted_values(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat


def known_keys(section: type[BaseModel] = Config, prefix: str = "") -> Iterator[str]:
    """Every dotted key that a configuration may hold."""
    for name, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, Section):
            yield from known_keys(kind, f"{prefix}{name}.")
        else:
            yield prefix + name


def _validate(merged: Table, origins: Mapping[str, str]) -> Config:
    try:
        return Config.model_validate(merged)
    except ValidationError as error:
        problems = [_explain(dict(problem), origins) for problem in error.errors()]
    raise ConfigError("\n".join(problems))


def _explain(problem: Mapping[str, Any], origins: Mapping[str, str]) -> str:
    """One pydantic problem in the project's words."""
    names = [str(part) for part in problem["loc"] if not isinstance(part, int)]
    key = ".".join(names)
    origin = origins.get(key)
    where = f" (from {origin})" if origin else ""
    if problem["type"] == "extra_forbidden":
        return f"unknown configuration key '{key}'{where}.{_nearest_key(key)}"
    if problem["type"] == "missing" and isinstance(problem["loc"][-1], int):
        return f"{key}{where}: has too few values. Received: {list(problem['input'])}."
    if problem["type"] == "missing":
        return f"the configuration key '{key}' is missing. Expected a value for it."
    message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
    if problem["type"] == "value_error":  # our own validators say what came
        return f"{key}{where}: {message}." if key else f"{message}."
    return f"{key}{where}: {message}. Received: {problem['input']!r}."


def _nearest_key(key: str) -> str:
    """Suggest a key that ends alike, else one at the same depth, tables included."""
    keys = list(known_keys())
    parts = key.split(".")
    alike = [known for known in keys if known.split(".")[-1] == parts[-1]]
    same_depth = {".".join(known.split(".")[: len(parts)]) for known in keys}
    if len(alike) == 1:
        return f" Did you mean '{alike[0]}'?"
    return nearest(key, alike) or nearest(key, sorted(same_depth))
