"""pdm.lock: a list of packages, each with the groups of dependencies that need it."""

from locked import applies, check_project, located, pinned, python_fits
from pip._vendor.packaging.utils import canonicalize_name as canonical


def lines(lock):
    packages = lock.get("package", [])
    check_project("pdm.lock", {canonical(each["name"]) for each in packages})
    out = []
    for package in packages:
        # Before groups were written a lock file held what runs, unless it was made with more.
        wanted = "default" in package.get("groups", ["default"])
        if wanted and applies(package.get("marker")) and python_fits(package.get("requires_python", "*")):
            line = line_of(package)
            # Each extra of a package is an entry of its own.
            if line not in out:
                out.append(line)
    return out


def line_of(package):
    name = package["name"]
    hashes = [each["hash"] for each in package.get("files", []) if "hash" in each]
    if "git" in package:
        return f"{name} @ git+{package['git']}@{package.get('revision') or package.get('ref', 'HEAD')}"
    if "path" in package or "url" in package:
        return located(name, package.get("url") or package["path"].removeprefix("./"), hashes)
    return pinned(name, package["version"], hashes)
