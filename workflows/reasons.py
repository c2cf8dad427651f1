"""Why a run failed, as a person should read it."""

from temporalio.exceptions import ApplicationError, ChildWorkflowError


def reason_of(failure: BaseException) -> ApplicationError:
    """The innermost failure that carries a message of ours."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ApplicationError):
            return ApplicationError(cause.message, type=cause.type, non_retryable=True)
        cause = cause.__cause__ or getattr(cause, "cause", None)
    kind = "the pull" if isinstance(failure, ChildWorkflowError) else "a step"
    return ApplicationError(f"{kind} did not end: {failure}", type="ImportFailedError")
