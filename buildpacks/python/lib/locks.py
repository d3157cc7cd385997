"""Lock files of uv, poetry and pipenv as requirements for pip: what runs in production, by exact version and hash.

Those tools are not needed to install what they have resolved, and Debian's are too old for locks of today.
"""

import re
import sys
from pathlib import Path

import specifiers
import toml_file
from pip._vendor.packaging.markers import InvalidMarker, Marker
from pip._vendor.packaging.requirements import InvalidRequirement, Requirement
from pip._vendor.packaging.utils import canonicalize_name as canonical

remedies = {
    "uv.lock": "Run uv lock and commit uv.lock.",
    "poetry.lock": "Run poetry lock and commit poetry.lock.",
    "Pipfile.lock": "Run pipenv lock and commit Pipfile.lock.",
}


def read(name):
    """Lines with hashes and lines that have none; pip installs the two apart, as one hash makes it ask for all."""
    lock = toml_file.read(name)
    lines = {"uv.lock": from_uv, "poetry.lock": from_poetry, "Pipfile.lock": from_pipenv}[name](lock)
    options = [line for line in lines if line.startswith("--")]
    hashed = [line for line in lines if " --hash=" in line]
    plain = [line for line in lines if line not in options and line not in hashed]
    return options + hashed if hashed else [], options + plain if plain else []


def missing(lock, manifest, name):
    sys.exit(f"{lock} is out of step with {manifest}: {name} is missing from it. {remedies[lock]}")


def applies(marker, extras=()):
    """Whether a marker holds here, for any of the extras that were asked for."""
    try:
        return not marker or any(Marker(marker).evaluate({"extra": extra}) for extra in extras or ("",))
    except InvalidMarker:
        return True


def pinned(name, version, hashes):
    return " ".join([f"{name}=={version}", *(f"--hash={each}" for each in sorted(set(hashes)))])


def located(name, place, hashes=()):
    """A file or folder of the app, or an address."""
    url = place if "://" in place else f"file://{Path.cwd() / place}"
    return " ".join([f"{name} @ {url}", *(f"--hash={each}" for each in sorted(set(hashes)))])


def from_uv(lock):
    packages = {}
    for package in lock.get("package", []):
        packages.setdefault(package["name"], []).append(package)
    roots = [each for each in lock.get("package", []) if "." in (source_of(each).get("virtual"), source_of(each).get("editable"))]
    if not roots:
        sys.exit("uv.lock does not hold the project in the root of the repository. Run uv lock there and commit uv.lock.")
    project = toml_file.read("pyproject.toml")
    for text in toml_file.table(project, "project").get("dependencies") or []:
        name = canonical(Requirement(text).name)
        if name not in packages:
            missing("uv.lock", "pyproject.toml", name)
    done, lines = set(), uv_indexes(project)
    queue = [(roots[0], ())]
    while queue:
        package, extras = queue.pop(0)
        wanted = list(package.get("dependencies", []))
        for extra in extras:
            wanted += package.get("optional-dependencies", {}).get(extra, [])
        for edge in wanted:
            if not applies(edge.get("marker")):
                continue
            found = [each for each in packages.get(edge["name"], []) if edge.get("version") in (None, each.get("version"))]
            if not found:
                missing("uv.lock", "pyproject.toml", edge["name"])
            step = (found[0]["name"], found[0].get("version"), tuple(edge.get("extra", [])))
            if step not in done:
                done.add(step)
                queue.append((found[0], step[2]))
                lines += [line for line in uv_lines(found[0]) if line not in lines]
    return lines


def source_of(package):
    return package.get("source", {})


def uv_indexes(project):
    indexes = toml_file.table(project, "tool", "uv").get("index", [])
    return [f"--{'' if each.get('default') else 'extra-'}index-url {each['url']}" for each in indexes if "://" in each.get("url", "")]


def uv_lines(package):
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
        return [f"-e {Path.cwd() / place}" if "editable" in source else located(name, place)] if place else []
    return [located(name, source.get("url") or source.get("path", ""), hashes)]


def from_poetry(lock):
    packages = {}
    for package in lock.get("package", []):
        packages.setdefault(canonical(package["name"]), []).append(package)
    old_hashes = toml_file.table(lock, "metadata", "files")
    done, lines = set(), []
    queue = list(poetry_roots())
    while queue:
        name, extras = queue.pop(0)
        found = [each for each in packages.get(name, []) if python_fits(each.get("python-versions", "*"))]
        if not found:
            missing("poetry.lock", "pyproject.toml", name)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        queue += poetry_edges(found[0], extras)
        lines += [line for line in poetry_lines(found[0], old_hashes) if line not in lines]
    return lines


def poetry_roots():
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
            yield from poetry_choice(name, wanted, ())


def poetry_choice(name, wanted, extras, optional_too=False):
    """A dependency is a version, a table, or a list of tables of which those hold whose marker does."""
    for each in wanted if isinstance(wanted, list) else [wanted]:
        each = each if isinstance(each, dict) else {}
        if each.get("optional") and not optional_too:
            continue
        if applies(each.get("markers"), extras) and python_fits(each.get("python", "*")):
            yield canonical(name), tuple(sorted(each.get("extras", [])))
            return


def poetry_edges(package, extras):
    asked = {canonical(text) for text in extras}
    opened = {
        canonical(re.split(r"[\s\[(<>=!~;]", text)[0])
        for extra, texts in package.get("extras", {}).items()
        if canonical(extra) in asked
        for text in texts
    }
    for name, wanted in package.get("dependencies", {}).items():
        yield from poetry_choice(name, wanted, extras, optional_too=canonical(name) in opened)


def poetry_lines(package, old_hashes):
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


def python_fits(text):
    try:
        return specifiers.fits(text)
    except ValueError:
        return True


def from_pipenv(lock):
    packages = toml_file.table(lock, "default")
    for name in toml_file.table(toml_file.read("Pipfile"), "packages"):
        if canonical(name) not in map(canonical, packages):
            missing("Pipfile.lock", "Pipfile", name)
    sources = toml_file.table(lock, "_meta").get("sources", [])
    lines = [f"--extra-index-url {each['url']}" for each in sources if each.get("name") != "pypi"]
    for name, package in packages.items():
        if not applies(package.get("markers")):
            continue
        hashes = package.get("hashes", [])
        place = package.get("file") or package.get("path")
        if "git" in package:
            lines.append(f"{name} @ git+{package['git']}@{package.get('ref', 'HEAD')}")
        elif place and package.get("editable"):
            lines.append(f"-e {Path.cwd() / place}")
        elif place:
            lines.append(located(name, place, hashes))
        else:
            lines.append(pinned(name, package.get("version", "").removeprefix("=="), hashes))
    return lines
