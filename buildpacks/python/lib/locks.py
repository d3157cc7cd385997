"""Lock files of uv, poetry, pdm, pipenv and the shared form as requirements for pip: what runs in production, by exact version and hash.

Those tools are not needed to install what they have resolved, and Debian's are too old for locks of today.
"""

import pdm_lock
import pipfile_lock
import poetry_lock
import pylock
import toml_file
import uv_lock

readers = {
    "uv.lock": uv_lock.lines,
    "poetry.lock": poetry_lock.lines,
    "pdm.lock": pdm_lock.lines,
    "Pipfile.lock": pipfile_lock.lines,
    "pylock.toml": pylock.lines,
}


def read(name):
    """Lines with hashes and lines that have none; pip installs the two apart, as one hash makes it ask for all."""
    lines = readers[name](toml_file.read(name))
    options = [line for line in lines if line.startswith("--")]
    hashed = [line for line in lines if " --hash=" in line]
    plain = [line for line in lines if line not in options and line not in hashed]
    return options + hashed if hashed else [], options + plain if plain else []
