"""Versions of Python that a file asks for, in pip's terms."""

import platform
import re

from pip._vendor.packaging.specifiers import InvalidSpecifier, SpecifierSet

have = platform.python_version()


def fits(text):
    """Whether the Python at hand is one of these. @raises ValueError when the text is no version"""
    return any(have in each for each in alternatives(text))


def alternatives(text):
    for part in re.split(r"\s*\|\|?\s*", text.strip()):
        conditions = re.split(r"\s*,\s*|\s+(?=[<>=!~^])", part)
        try:
            yield SpecifierSet(",".join(filter(None, map(specifier, conditions))))
        except (InvalidSpecifier, IndexError) as error:
            raise ValueError(text) from error


def specifier(text):
    text = text.replace(" ", "")
    if text in ("", "*"):
        return ""
    if text[0] == "^" or (text[0] == "~" and text[1:2] != "="):
        return between(text[1:].split("."), caret=text[0] == "^")
    if text[0].isdigit():
        # The patch is Debian's to choose.
        return f"=={'.'.join(text.rstrip('.*').split('.')[:2])}.*"
    exact = re.fullmatch(r"={2,3}(\d+\.\d+)\.\d+", text)
    return f"=={exact[1]}.*" if exact else text


def between(parts, caret):
    """Poetry's ^3.9 stops before 4, its ~3.9 before 3.10."""
    fixed = 0 if caret or len(parts) == 1 else 1
    top = [*parts[:fixed], str(int(parts[fixed]) + 1)]
    return f">={'.'.join(parts)},<{'.'.join(top)}"
