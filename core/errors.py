"""Every error the project raises on purpose.

::

    AppError                    code, HTTP status; the message reaches a client
    ├── NotFound           404
    ├── Forbidden          403
    ├── Unauthenticated    401
    ├── Conflict           409
    ├── InvalidRequest     422
    │   └── InvalidCommand 422  a command that this unit or household does not allow
    └── TooManyRequests    429
    PayloadError                an MQTT message that cannot be read: quarantined, never reaches a client
    ConfigurationError          a setting or the machine is wrong: printed, exit status 2

A message says what was expected and what came.
"""


class AppError(Exception):
    """An error that a client may read."""

    code = "error"
    status = 500

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if code is not None:
            self.code = code


class NotFound(AppError):
    """What was asked for does not exist, or is not the caller's to see."""

    code, status = "not_found", 404


class Unauthenticated(AppError):
    """No credential, or one that is not valid."""

    code, status = "unauthenticated", 401


class Forbidden(AppError):
    """The credential is valid and does not reach this far."""

    code, status = "forbidden", 403


class Conflict(AppError):
    """The request contradicts the present state."""

    code, status = "conflict", 409


class InvalidRequest(AppError):
    """The request is understood and cannot be carried out."""

    code, status = "invalid_request", 422


class InvalidCommand(InvalidRequest):
    """A command outside what the unit or the household allows."""

    code = "invalid_command"


class TooManyRequests(AppError):
    """A limit was reached; try again later."""

    code, status = "too_many_requests", 429


class PayloadError(Exception):
    """An MQTT message that cannot be read; it is counted and quarantined."""


class ConfigurationError(Exception):
    """A setting, a file or the machine is not as it must be; the message says what to do."""
