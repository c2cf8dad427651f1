"""The rules of this repository that no linter knows; prints one line for each breach.

`python scripts/check_shape.py [ROOT]`: exit code 1 when a rule is broken.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

MAX_LINES: Final = 300
PACKAGES: Final = (
    *("activities", "api", "bench", "db", "domain", "providers", "runtime", "sandbox"),
    *("scripts", "tests", "workflows"),
)
FORBIDDEN_NAMES: Final = frozenset({"utils", "helpers", "common", "manager", "misc", "shared"})
# Where a provider may be named: itself, its imitation, what tests or measures it, the commands that
# run a sandbox of it, the examples of the API's documentation, and the API and the variables that
# are named after it.
NAMES_PROVIDERS: Final = (
    *("providers/", "sandbox/", "tests/", "docs/", "bench/"),
    *("api/schemas/", "runtime/cli/demo", "runtime/cli/sandbox"),
    *("api/woocommerce_sync/", "runtime/default_store"),
)
_URL: Final = re.compile(
    r"[a-z][a-z+.-]*://|@ ?file:|^--?[ief][a-z-]*", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Tree:
    """The files to judge, as paths below `root` with forward slashes."""

    root: Path
    files: tuple[PurePosixPath, ...]

    def text(self, file: PurePosixPath) -> str:
        """The content of a file."""
        return (self.root / file).read_text(encoding="utf-8")

    def python(self) -> Iterator[PurePosixPath]:
        """Our Python files."""
        return (file for file in self.files if file.suffix == ".py" and file.parts[0] in PACKAGES)

    def slugs(self) -> frozenset[str]:
        """The providers: folders of `providers/` that do not begin with an underscore."""
        return frozenset(
            file.parts[1]
            for file in self.files
            if len(file.parts) > 2 and file.parts[0] == "providers" and file.parts[1][0] != "_"
        )


Breaches = Iterator[str]


def long_files(tree: Tree) -> Breaches:
    """A file holds one thing, and that fits in 300 lines."""
    for file in tree.python():
        if "migrations/versions/" in str(file):
            continue
        lines = len(tree.text(file).splitlines())
        if lines > MAX_LINES:
            yield f"{file}: {lines} lines, at most {MAX_LINES}: split it by what it is about"


def filled_package_files(tree: Tree) -> Breaches:
    """`__init__.py` is empty: importing a package runs nothing. A provider's names its parts."""
    for file in tree.python():
        is_provider = file.parts[0] == "providers" and len(file.parts) == 3
        if file.name == "__init__.py" and not is_provider and tree.text(file).strip():
            yield f"{file}: must be empty; import from the module itself"


def forbidden_names(tree: Tree) -> Breaches:
    """A name says what is inside."""
    for file in tree.python():
        for part in (*file.parts[:-1], file.stem):
            if part.strip("_") in FORBIDDEN_NAMES:
                yield f"{file}: {part!r} says nothing about what is inside: name it for that"


def named_providers(tree: Tree) -> Breaches:
    """Ask for a capability, never for a provider's name (as a word in code, text or comments)."""
    if not (slugs := tree.slugs()):
        return
    pattern = re.compile(rf"\b({'|'.join(sorted(slugs))})\b", re.IGNORECASE)
    for file in tree.python():
        if str(file).startswith(NAMES_PROVIDERS):
            continue
        for number, line in enumerate(tree.text(file).splitlines(), start=1):
            if found := pattern.search(line):
                yield f"{file}:{number}: names the provider {found[1]!r}: ask for a capability"


def imported_providers(tree: Tree) -> Breaches:
    """Nobody imports a concrete provider: the registry finds folders."""
    slugs = tree.slugs()
    for file in tree.python():
        inside = file.parts[1] if file.parts[0] == "providers" and len(file.parts) > 2 else None
        if file.parts[0] == "tests":
            continue
        for number, module in _imports(tree.text(file)):
            parts = module.split(".")
            named = parts[1] if parts[0] == "providers" and len(parts) > 1 else None
            if named in slugs and named != inside:
                yield f"{file}:{number}: imports {module}: go through the registry"


def addresses_in_locks(tree: Tree) -> Breaches:
    """Locks hold names, versions and hashes: where packages come from is the installer's."""
    for file in tree.files:
        if file.suffix == ".lock" and (found := _URL.search(tree.text(file))):
            yield f"{file}: holds {found[0]!r}: make lock writes it without addresses"


def orphan_golden_files(tree: Tree) -> Breaches:
    """Each golden file is read by a test: its name, or its case's, stands in one."""
    texts = [
        tree.text(file)
        for file in tree.python()
        if file.parts[0] == "tests" or "testing" in file.parts
    ]
    for file in tree.files:
        if "golden" not in file.parts[:-1] or file.suffix == ".md":
            continue
        case = file.name.split(".")[0]
        if not any(case in text for text in texts):
            yield f"{file}: no test names {case!r}: use it or remove it"


RULES: Final[Sequence[Callable[[Tree], Breaches]]] = (
    long_files,
    filled_package_files,
    forbidden_names,
    named_providers,
    imported_providers,
    addresses_in_locks,
    orphan_golden_files,
)


def read_tree(root: Path) -> Tree:
    """What git tracks or would track below `root`."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root,
        check=True,
        capture_output=True,
    ).stdout.decode()
    names = sorted({name for name in listed.split("\0") if name})
    return Tree(root, tuple(PurePosixPath(name) for name in names if (root / name).is_file()))


def breaches(tree: Tree) -> list[str]:
    """Everything that is wrong, rule by rule."""
    return [line for rule in RULES for line in rule(tree)]


def _imports(text: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.lineno, node.module
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def main() -> int:
    """Print the breaches; 1 if there are any."""
    found = breaches(read_tree(Path(sys.argv[1]) if len(sys.argv) > 1 else Path.cwd()))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
