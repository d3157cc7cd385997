"""TOML and JSON files of an app, with the place of a mistake in words."""

import json
import sys
import tomllib
from pathlib import Path


def read(name):
    """The file's table; empty when there is no such file."""
    path = Path(name)
    if not path.is_file():
        return {}
    try:
        text = path.read_text()
        value = json.loads(text) if name == "Pipfile.lock" else tomllib.loads(text)
    except ValueError as error:
        sys.exit(f"{name} does not parse: {' '.join(str(error).split())}. Correct it.")
    return value if isinstance(value, dict) else {}


def table(value, *names):
    """The table below these names, or an empty one."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
