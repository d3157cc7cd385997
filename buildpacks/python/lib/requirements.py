"""Writes the lists that pip installs from, and prints as JSON what of the app they depend on.

`files` count by content. `trees` are folders that count by all that is in them. `live` says that the app's own code is
installed in place, so its outcome depends on more than can be listed.
"""

import json
import re
import sys
from pathlib import Path

import locks
import toml_file
from pip._vendor.packaging.requirements import InvalidRequirement

files, trees, live = [], [], False
# A path of the app, as "./wheels/x.whl", ".", "name @ file:///workspace/x": or an address, which has "://".
place = re.compile(
    r"(?:[A-Za-z0-9._-]+(?:\[[^\]]*\])?\s*@\s*)?(?:file:/*(?=/|\.))?"
    r"(\.{1,2}(?:\[[^\]]*\])?$|\.{0,2}/\S*|\S+\.(?:whl|tar\.gz|zip))"
)


def write_lists(manifest, out):
    if manifest == "requirements.txt":
        write(out, "requirements.txt", Path(manifest).read_text(errors="replace").splitlines())
    elif manifest in locks.readers:
        hashed, plain = locks.read(manifest)
        write(out, "hashed.txt", hashed)
        write(out, "plain.txt", plain)
    elif manifest == "pyproject.toml":
        write(out, "plain.txt", project_lines())
    elif manifest == "setup.py":
        write(out, "plain.txt", ["-e ."])


def project_lines():
    """What the project depends on; all of it is installed when only its own build knows that."""
    project = toml_file.table(toml_file.read("pyproject.toml"), "project")
    if not project or "dependencies" in (project.get("dynamic") or []):
        return ["-e ."]
    return [str(line) for line in project.get("dependencies") or []]


def write(out, name, lines):
    if lines:
        Path(out, name).write_text("\n".join(lines) + "\n")
        scan(lines, Path("."))


def scan(lines, folder):
    for line in re.sub(r"\\\n", " ", "\n".join(lines)).split("\n"):
        line = re.sub(r"(^|\s)#.*$", "", line).strip()
        option = re.match(r"(-r|--requirement|-c|--constraint|-f|--find-links|-e|--editable)[\s=]*(.+)$", line)
        if option and option[1] in ("-r", "--requirement", "-c", "--constraint"):
            nested(folder / option[2].strip())
        elif option and option[1] in ("-f", "--find-links"):
            local(option[2].strip())
        elif option:
            editable(option[2].strip())
        elif line and not line.startswith("-"):
            found = re.match(place, line)
            if found and "://" not in found[1]:
                local(re.sub(r"(\[[^\]]*\])?(;.*)?$", "", found[1]))


def nested(path):
    if path.is_file() and str(path) not in files:
        files.append(str(path))
        scan(path.read_text(errors="replace").splitlines(), path.parent)


def local(text):
    path = Path(text.removeprefix("file://"))
    path = path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path
    if path.is_absolute() or ".." in path.parts:
        return
    if path.is_dir():
        trees.append(str(path))
    elif path.is_file():
        files.append(str(path))


def editable(text):
    global live
    live = True
    folder = Path(re.sub(r"\[[^\]]*\]$", "", text))
    for name in ("setup.py", "setup.cfg", "pyproject.toml"):
        if not folder.is_absolute() and (folder / name).is_file():
            files.append(str(folder / name))


try:
    write_lists(sys.argv[1], sys.argv[2])
except (KeyError, TypeError, AttributeError, InvalidRequirement) as error:
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    sys.exit(f"{sys.argv[1]} has another form than its tool writes ({said}). Make it again and commit it.")
json.dump({"files": files, "trees": trees, "live": live}, sys.stdout)
