"""What the readers of lock files share: lines for pip, and what holds on this machine."""

import sys
from pathlib import Path

import specifiers
from pip._vendor.packaging.markers import InvalidMarker, Marker

remedies = {
    "uv.lock": "Run uv lock and commit uv.lock.",
    "poetry.lock": "Run poetry lock and commit poetry.lock.",
    "Pipfile.lock": "Run pipenv lock and commit Pipfile.lock.",
}


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


def source_of(package):
    return package.get("source", {})


def python_fits(text):
    try:
        return specifiers.fits(text)
    except ValueError:
        return True
