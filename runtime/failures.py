"""What ends a command: something that a person can put right."""

WRONG_INPUT = 2
"""Exit code for a setting, an argument or a request that cannot be worked with."""

FAILED = 1
"""Exit code for work that could not be done."""


class CommandError(Exception):
    """One line that says what to do; `exit_code` is how the command ends."""

    exit_code = FAILED
