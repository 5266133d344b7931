"""What the command line says when it cannot go on, in one line, and the exit code it ends with.

0   done; the answer is yes
1   done; the answer is no: a document is invalid, a log is not sound, a letter stays dead
2   the command is not written like that
3   settings, files or servers that cannot be used as they are
4   the server refused, with its problem document's detail
5   the server cannot be reached, or failed; the same command may be tried again
130 interrupted
"""

from libs.events.errors import BusUnavailableError, EventsError, SetupError, StoreUnavailableError

NO = 1
USAGE = 2
SETUP = 3
REFUSED = 4
UNREACHABLE = 5
INTERRUPTED = 130


class CliError(Exception):
    """Says in one line what is wrong and what to do; ends the command with its exit code."""

    def __init__(self, message: str, exit_code: int = UNREACHABLE) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def as_cli_error(error: Exception) -> CliError:  # noqa: PLR0911  a table, one line a kind
    """*error* as what the command line says of it; errors it does not know are raised again."""
    match error:
        case CliError():
            return error
        case ExceptionGroup(exceptions=(alone,)):
            return as_cli_error(alone)
        case SetupError():
            return CliError(str(error), SETUP)
        case StoreUnavailableError() | BusUnavailableError():
            return CliError(f"{error}; try again", UNREACHABLE)
        case EventsError():
            return CliError(str(error), NO)
        case FileNotFoundError() | PermissionError() | IsADirectoryError():
            return CliError(f"{error.filename}: {error.strerror}", SETUP)
        case ConnectionError() | TimeoutError():
            return CliError(f"no connection ({error}); is the server running?", UNREACHABLE)
        case _:
            raise error
