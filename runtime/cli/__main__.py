"""`python -m runtime.cli`, and the script `entrepot`."""

import sys
from collections.abc import Sequence

import typer

from runtime.cli.app import build_app
from runtime.cli.screen import complain
from runtime.failures import CommandError

_INTERRUPTED = 130


def run(arguments: Sequence[str]) -> int:
    """Run a command; returns its exit code. What a person can put right is one line on stderr."""
    try:
        code = build_app()(list(arguments), prog_name="entrepot", standalone_mode=False)
    except typer.TyperException as error:
        return _refuse(error)
    except CommandError as error:
        complain(str(error))
        return error.exit_code
    except typer.Abort:
        return _INTERRUPTED
    return code if isinstance(code, int) else 0


def _refuse(error: typer.TyperException) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "entrepot"
    message = error.format_message().strip().rstrip(".")
    if "\n" in message or not message:  # a group without a command answers with its help
        sys.stderr.write(f"{message}\n")
        return error.exit_code
    complain(f"{message} (see `{path} --help`)")
    return error.exit_code


def main() -> None:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
