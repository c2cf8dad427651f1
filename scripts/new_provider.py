"""Writes a small, complete provider to start from: a shop with a REST API of JSON lists.

`python scripts/new_provider.py NAME [--place FOLDER]`. Nothing else has to be touched: the registry
finds the folder, the contract tests run over it, and the API offers its connection form.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[1]
_TEMPLATES: Final = Path(__file__).resolve().parent / "provider_template"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,30}")
_EXIT_WRONG: Final = 2


def write_provider(name: str, place: Path) -> list[Path]:
    """Write the folder `place`/`name`; its files.

    Raises:
        ValueError: the name is none for a folder of code.
        FileExistsError: there is such a folder.
    """
    if not _NAME.fullmatch(name):
        raise ValueError("a name is lower case letters, digits and _, beginning with a letter")
    folder = place / name
    folder.mkdir(parents=True)
    title = name.replace("_", " ").title()
    values = {"slug": name, "title": title, "camel": title.replace(" ", "")}
    written = []
    for template in sorted(_TEMPLATES.glob("*.tmpl")):
        path = folder / template.name.removesuffix(".tmpl")
        path.write_text(Template(template.read_text(encoding="utf-8")).substitute(values))
        written.append(path)
    return written


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; 0, or 2 for a name that cannot be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name")
    parser.add_argument("--place", type=Path, default=_ROOT / "providers")
    args = parser.parse_args(argv)
    try:
        written = write_provider(args.name, args.place)
    except FileExistsError:
        sys.stderr.write(f"{args.place / args.name} is there already\n")
        return _EXIT_WRONG
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return _EXIT_WRONG
    sys.stdout.writelines(f"{path}\n" for path in written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
