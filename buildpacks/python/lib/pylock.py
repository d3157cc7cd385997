"""pylock.toml: the form of lock file that tools share. It lists what is installed, by markers."""

import re
import sys

from locked import applies, check_project, located, pinned
from pip._vendor.packaging.utils import canonicalize_name as canonical


def lines(lock):
    if not str(lock.get("lock-version", "")).startswith("1."):
        sys.exit("pylock.toml has no lock-version 1.x, which is what can be read. Make it again and commit it.")
    packages = lock.get("packages", [])
    check_project("pylock.toml", {canonical(each["name"]) for each in packages})
    groups = lock.get("default-groups", [])
    return [line_of(each) for each in packages if applies(resolved(each.get("marker", ""), groups))]


def resolved(marker, groups):
    """The marker with what it asks of extras and groups answered, in words that pip knows."""
    def answer(found):
        inside = found[4] == "dependency_groups" and found[2] in groups
        return "os_name != ''" if inside != bool(found[3]) else "os_name == ''"

    return re.sub(r"""(["'])([^"']*)\1\s+(not\s+)?in\s+(extras|dependency_groups)""", answer, marker)


def line_of(package):
    name = package["name"]
    if "vcs" in package:
        source = package["vcs"]
        return f"{name} @ {source['type']}+{source.get('url') or 'file://' + source['path']}@{source['commit-id']}"
    if "directory" in package:
        return located(name, package["directory"]["path"])
    archive = package.get("archive")
    if archive:
        return located(name, archive.get("url") or archive["path"], hashes_of([archive]))
    sdist = package.get("sdist")
    return pinned(name, package["version"], hashes_of([*package.get("wheels", []), *([sdist] if sdist else [])]))


def hashes_of(files):
    return [f"{kind}:{value}" for each in files for kind, value in each.get("hashes", {}).items()]
