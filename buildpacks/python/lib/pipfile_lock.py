"""Pipfile.lock: lists of packages, those of production apart from those of development."""

from pathlib import Path

import toml_file
from locked import applies, located, missing, pinned
from pip._vendor.packaging.utils import canonicalize_name as canonical


def lines(lock):
    packages = toml_file.table(lock, "default")
    for name in toml_file.table(toml_file.read("Pipfile"), "packages"):
        if canonical(name) not in map(canonical, packages):
            missing("Pipfile.lock", "Pipfile", name)
    sources = toml_file.table(lock, "_meta").get("sources", [])
    out = [f"--extra-index-url {each['url']}" for each in sources if each.get("name") != "pypi"]
    for name, package in packages.items():
        if not applies(package.get("markers")):
            continue
        hashes = package.get("hashes", [])
        place = package.get("file") or package.get("path")
        if "git" in package:
            out.append(f"{name} @ git+{package['git']}@{package.get('ref', 'HEAD')}")
        elif place and package.get("editable"):
            out.append(f"-e {Path.cwd() / place}")
        elif place:
            out.append(located(name, place, hashes))
        else:
            out.append(pinned(name, package.get("version", "").removeprefix("=="), hashes))
    return out
