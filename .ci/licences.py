"""List the licences of all required packages; exit with status 1 if one is not permissive."""

from __future__ import annotations

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|PSF|Python Software Foundation|ISC|HPND|Zlib|CMU)\b", re.IGNORECASE
)
# The Mozilla licence of certifi covers only changes of its own files. TensorFlow needs it.
FILES_ONLY = ("certifi",)


def main():
    bad = []
    for name in sorted(needed("skdigits") - {"skdigits"}):
        package = distribution(name)
        found = licence(package)
        print(f"{name:28s} {package.version:14s} {found}")
        if not PERMISSIVE.search(found) and name not in FILES_ONLY:
            bad.append(name)
    if bad:
        sys.exit(f"Without a known permissive licence: {', '.join(bad)}")


def needed(name, found=None):
    """Return the names of a package and of all packages that it requires here, without extras."""
    found = set() if found is None else found
    found.add(name)
    for line in distribution(name).requires or ():
        requirement = Requirement(line)
        other = canonicalize_name(requirement.name)
        marker = requirement.marker
        if other in found or (marker and not marker.evaluate({"extra": ""})):
            continue
        try:
            needed(other, found)
        except PackageNotFoundError:
            print(f"{other} is not installed", file=sys.stderr)
            found.discard(other)
    return found


def licence(package):
    """Return the licence of a package from its metadata, or else the start of its licence text."""
    metadata = package.metadata
    classifiers = [
        text.rsplit(" :: ", 1)[-1]
        for text in metadata.get_all("Classifier") or ()
        if text.startswith("License ::")
    ]
    expression = metadata.get("License-Expression") or ""
    given = (metadata.get("License") or "").split("\n", 1)[0]
    texts = [file for file in package.files or () if "LICENSE" in file.name.upper()]
    text = " ".join(texts[0].read_text().split())[:60] if texts else "unknown"
    return expression or "; ".join(classifiers) or given or text


if __name__ == "__main__":
    main()
