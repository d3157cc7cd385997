"""Whether the Python at hand is one that the app asks for. Prints a note, or a sentence to stderr and ends with 1."""

import json
import re
import sys
from pathlib import Path

import specifiers
import toml_file

files = {
    ".python-version": r"^(?:cpython-|python-)?([^\s#]+)",
    "runtime.txt": r"^python-(\S+)",
    ".tool-versions": r"^python\s+(\S+)",
}


def asked():
    """Each request with the name of the file it stands in."""
    for name, pattern in files.items():
        if Path(name).is_file():
            found = re.search(pattern, Path(name).read_text(errors="replace")[:4096], re.M)
            yield name, found and found[1]
    project = toml_file.read("pyproject.toml")
    yield "pyproject.toml", toml_file.table(project, "project").get("requires-python")
    yield "pyproject.toml", toml_file.table(project, "tool", "poetry", "dependencies").get("python")
    yield "pylock.toml", toml_file.read("pylock.toml").get("requires-python")
    requires = toml_file.table(toml_file.read("Pipfile"), "requires")
    yield "Pipfile", requires.get("python_full_version") or requires.get("python_version")


def satisfied(text):
    try:
        return specifiers.fits(text)
    except ValueError:
        return False


for name, text in asked():
    if not isinstance(text, str):
        continue
    if not satisfied(text):
        line = ".".join(specifiers.have.split(".")[:2])
        quoted = json.dumps(text[:40])
        sys.exit(f"Python version {quoted} of {name} cannot be had: this host has {specifiers.have}. Ask for {line} there.")
    if re.fullmatch(r"\d+\.\d+\.\d+", text) and text != specifiers.have:
        print(f"{name} asks for {text}; this host has {specifiers.have}")
