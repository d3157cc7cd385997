"""poetry.lock: a list of packages; which of them the app needs begins at pyproject.toml."""

import re
import sys
from pathlib import Path

import toml_file
from locked import applies, located, missing, pinned, python_fits, source_of
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.utils import canonicalize_name as canonical


def lines(lock):
    packages = {}
    for package in lock.get("package", []):
        packages.setdefault(canonical(package["name"]), []).append(package)
    old_hashes = toml_file.table(lock, "metadata", "files")
    done, out = set(), []
    queue = list(roots())
    while queue:
        name, extras = queue.pop(0)
        found = [each for each in packages.get(name, []) if python_fits(each.get("python-versions", "*"))]
        if not found:
            missing("poetry.lock", "pyproject.toml", name)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        queue += edges_of(found[0], extras)
        out += [line for line in lines_of(found[0], old_hashes) if line not in out]
    return out


def roots():
    project = toml_file.read("pyproject.toml")
    for text in toml_file.table(project, "project").get("dependencies") or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            sys.exit(f"pyproject.toml names a dependency that cannot be read: {text}. Correct it.")
        if applies(str(requirement.marker or "")):
            yield canonical(requirement.name), tuple(sorted(requirement.extras))
    for name, wanted in toml_file.table(project, "tool", "poetry", "dependencies").items():
        if name != "python":
            yield from choice(name, wanted, ())


def choice(name, wanted, extras, optional_too=False):
    """A dependency is a version, a table, or a list of tables of which those hold whose marker does."""
    for each in wanted if isinstance(wanted, list) else [wanted]:
        each = each if isinstance(each, dict) else {}
        if each.get("optional") and not optional_too:
            continue
        if applies(each.get("markers"), extras) and python_fits(each.get("python", "*")):
            yield canonical(name), tuple(sorted(each.get("extras", [])))
            return


def edges_of(package, extras):
    asked = {canonical(text) for text in extras}
    opened = {
        canonical(re.split(r"[\s\[(<>=!~;]", text)[0])
        for extra, texts in package.get("extras", {}).items()
        if canonical(extra) in asked
        for text in texts
    }
    for name, wanted in package.get("dependencies", {}).items():
        yield from choice(name, wanted, extras, optional_too=canonical(name) in opened)


def lines_of(package, old_hashes):
    source, name = source_of(package), package["name"]
    hashes = [each["hash"] for each in package.get("files") or old_hashes.get(name, [])]
    kind, place = source.get("type"), source.get("url", "")
    if kind == "git":
        return [f"{name} @ git+{place}@{source.get('resolved_reference') or source.get('reference')}"]
    if kind == "directory":
        return [f"-e {Path.cwd() / place}" if package.get("develop") else located(name, place)]
    if kind in ("file", "url"):
        return [located(name, place, hashes)]
    index = [f"--extra-index-url {place}"] if kind == "legacy" else []
    return [*index, pinned(name, package["version"], hashes)]
