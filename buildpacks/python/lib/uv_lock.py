"""uv.lock: a graph of packages that begins at the project itself."""

import sys
from pathlib import Path

import toml_file
from locked import applies, located, missing, pinned, source_of
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name as canonical


def lines(lock):
    packages = {}
    for package in lock.get("package", []):
        packages.setdefault(package["name"], []).append(package)
    roots = [
        each for each in lock.get("package", []) if "." in (source_of(each).get(kind) for kind in ("virtual", "editable"))
    ]
    if not roots:
        sys.exit("uv.lock does not hold the project in the root of the repository. Run uv lock there and commit uv.lock.")
    project = toml_file.read("pyproject.toml")
    for text in toml_file.table(project, "project").get("dependencies") or []:
        name = canonical(Requirement(text).name)
        if name not in packages:
            missing("uv.lock", "pyproject.toml", name)
    done, out = set(), indexes_of(project)
    queue = [(roots[0], ())]
    while queue:
        package, extras = queue.pop(0)
        wanted = list(package.get("dependencies", []))
        for extra in extras:
            wanted += package.get("optional-dependencies", {}).get(extra, [])
        for edge in wanted:
            if not applies(edge.get("marker")):
                continue
            named = packages.get(edge["name"], [])
            found = [each for each in named if edge.get("version") in (None, each.get("version"))]
            if not found:
                missing("uv.lock", "pyproject.toml", edge["name"])
            step = (found[0]["name"], found[0].get("version"), tuple(edge.get("extra", [])))
            if step not in done:
                done.add(step)
                queue.append((found[0], step[2]))
                out += [line for line in lines_of(found[0]) if line not in out]
    return out


def indexes_of(project):
    indexes = toml_file.table(project, "tool", "uv").get("index", [])
    addresses = [each for each in indexes if "://" in each.get("url", "")]
    return [f"--{'' if each.get('default') else 'extra-'}index-url {each['url']}" for each in addresses]


def lines_of(package):
    source, name = source_of(package), package["name"]
    sdist = package.get("sdist")
    hashes = [each["hash"] for each in [*package.get("wheels", []), *([sdist] if sdist else [])] if "hash" in each]
    if "registry" in source:
        folder = [] if "://" in source["registry"] else [f"--find-links {Path.cwd() / source['registry']}"]
        return [*folder, pinned(name, package["version"], hashes)]
    if "git" in source:
        address, _, commit = source["git"].partition("#")
        return [f"{name} @ git+{address.partition('?')[0]}@{commit}"]
    if "editable" in source or "directory" in source or "virtual" in source:
        place = source.get("editable") or source.get("directory")
        if not place:
            return []
        return [f"-e {Path.cwd() / place}" if "editable" in source else located(name, place)]
    return [located(name, source.get("url") or source.get("path", ""), hashes)]
