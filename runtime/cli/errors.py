"""How a command ends when it cannot do what it was asked."""

from runtime.failures import WRONG_INPUT, CommandError


class CliError(CommandError):
    """One line for stderr that says what to do, and the exit code."""

    def __init__(self, message: str, *, exit_code: int = WRONG_INPUT) -> None:
        super().__init__(message)
        self.exit_code = exit_code
