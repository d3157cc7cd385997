"""What the readers of lock files share: lines for pip, and what holds on this machine."""

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
    "pdm.lock": "Run pdm lock and commit pdm.lock.",
    "pylock.toml": "Make it again and commit it.",
    "Pipfile.lock": "Run pipenv lock and commit Pipfile.lock.",
}


def missing(lock, manifest, name):
    sys.exit(f"{lock} is out of step with {manifest}: {name} is missing from it. {remedies[lock]}")


def check_project(lock, names):
    """Ends where the lock file lacks a dependency of pyproject.toml that holds here."""
    for text in toml_file.table(toml_file.read("pyproject.toml"), "project").get("dependencies") or []:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            sys.exit(f"pyproject.toml names a dependency that cannot be read: {text}. Correct it.")
        if applies(str(requirement.marker or "")) and canonical(requirement.name) not in names:
            missing(lock, "pyproject.toml", requirement.name)


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


def source_of(package):
    return package.get("source", {})


def python_fits(text):
    try:
        return specifiers.fits(text)
    except ValueError:
        return True
