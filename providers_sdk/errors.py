"""The errors of this library, as a tree.

::

    ProviderError
    ├── InvalidCall                a usage error; the same call fails again
    │   ├── InvalidArgument             a limit, proxy, header, setting or option value (also ValueError)
    │   ├── InvalidMessages             the messages (also ValueError)
    │   ├── UnknownProvider             no plugin has that name (also LookupError)
    │   ├── NoProviderChosen            none named, none configured
    │   ├── UnknownModel                the model was named strictly and is not known
    │   ├── UnknownSetting              the provider has no such setting
    │   ├── UnsupportedOption           the provider does not know that option
    │   ├── MissingSetting              a required setting or key is not there
    │   ├── InvalidConfiguration        the configuration file has a mistake
    │   ├── KeyUnavailable              the command, file, variable or keyring gives no key
    │   └── Closed                      the client or reply is closed already
    ├── TransportError              no complete answer arrived
    │   ├── ConnectFailed               name not found, refused, unreachable
    │   ├── ProxyFailed                 the proxy refused, died or wants a password
    │   ├── TLSFailed                   certificate or handshake
    │   ├── ConnectionLost              the connection died on the way
    │   ├── StreamTruncated             the answer ended without its finish reason
    │   └── TimeLimitExceeded           (also TimeoutError)
    │       ├── ConnectTimeout              limit ``connect``
    │       ├── FirstTokenTimeout                limit ``first_token``: no first piece of the answer
    │       ├── IdleTimeout                 limit ``idle``: no next piece
    │       └── DeadlineExceeded            limit ``deadline``: everything together
    ├── ResponseError               the response holds no answer
    │   ├── HTTPStatusError             an error status
    │   │   ├── RateLimited                 429
    │   │   ├── AuthenticationFailed        401, 403
    │   │   └── TokenPageFailed             the page that holds the tokens (also TokensNotFound)
    │   ├── Blocked                     a bot wall or captcha blocks the site
    │   ├── Refused                     the service refuses; the message holds its text
    │   │   └── PromptRejected              the question itself, for its content (also ValueError)
    │   ├── InvalidAnswer               not what the protocol promises: HTML, wrong JSON, wrong type
    │   ├── EmptyAnswer                 a complete answer without text and without tool calls
    │   ├── TooManyRounds               ``client.run``: the model asks for tools again and again
    │   ├── TokensNotFound              the page lacks a token that the protocol needs (also RuntimeError)
    │   └── TooLarge                    a size limit was passed
    ├── PluginError                 the plugin has a defect
    │   ├── PluginLoadError             it cannot be imported or registered
    │   ├── PluginConflict              two distributions offer one name
    │   ├── PluginContractError         it broke the contract of chunks
    │   └── PluginCrashed               its code raised something that is none of these errors
    ├── BatchError                  a batch cannot go on; what its journal holds is whole
    │   ├── BatchStopped                too many failures, or a service without any success
    │   └── JournalError                the journal is in use, damaged, or cannot be written
    └── AllProvidersFailed          every provider asked has failed; see ``attempts``

Errors are plain data: they pickle, copy and print, hold no connection, and never a secret.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from providers_sdk._attempts import Attempt, TokenCounts


class ProviderError(Exception):
    """Root of every error of this library.

    :param message: what happened and what to do next, one sentence or two.
    :param provider: name of the provider that failed, put before the message by ``str()``.
    :param model: the model that was asked for.
    :param url: the address involved, without user info and query.
    :param status: HTTP status of the response.
    :param retry_after: seconds that the service asked to wait.
    :param partial: text that had been delivered before the failure.
    :param finish_reason: why the service ended its answer, as it reported before the failure.
    :param usage: the :class:`providers_sdk.Usage` that the service reported before the failure.
    :param attempts: every attempt of the call, oldest first.
    """

    messages: tuple[Any, ...] = ()
    """The turns of a ``client.run`` that failed, as ``Message`` values, the last results included; else empty."""

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        url: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
        partial: str = "",
        finish_reason: str | None = None,
        usage: "TokenCounts | None" = None,
        attempts: "Sequence[Attempt]" = (),
    ) -> None:
        super().__init__(message)
        self.provider = provider
        self.model = model
        self.url = url
        self.status = status
        self.retry_after = retry_after
        self.partial = partial
        self.finish_reason = finish_reason
        self.usage = usage
        self.attempts: tuple[Attempt, ...] = tuple(attempts)

    @property
    def message(self) -> str:
        """What happened, without the provider's name."""
        return str(self.args[0]) if self.args else type(self).__name__

    def __str__(self) -> str:
        return f"{self.provider}: {self.message}" if self.provider else self.message


class InvalidCall(ProviderError):
    """A usage error; the same call will fail again."""


class InvalidArgument(InvalidCall, ValueError):
    """A limit, proxy, header, setting or option has a value that cannot be used."""


class InvalidMessages(InvalidCall, ValueError):
    """The messages are not a prompt or a sequence of role-and-content entries."""


class UnknownProvider(InvalidCall, LookupError):
    """No installed plugin offers that name."""


class NoProviderChosen(InvalidCall):
    """No provider was named and none is configured."""


class UnknownModel(InvalidCall):
    """The provider does not know the model, and replacing it was forbidden."""


class UnknownSetting(InvalidCall):
    """The provider has no setting of that name."""


class UnsupportedOption(InvalidCall):
    """The provider cannot honour an option of this call."""


class MissingSetting(InvalidCall):
    """The provider needs a setting, such as a key, that was not given."""


class InvalidConfiguration(InvalidCall):
    """The configuration file has a mistake, which the message names with its line."""


class KeyUnavailable(InvalidCall):
    """The variable, command, file or keyring that should give a key gives none."""


class Closed(InvalidCall):
    """The client or the reply was closed before it was used."""


class TransportError(ProviderError):
    """No complete answer arrived."""


class ConnectFailed(TransportError):
    """The server could not be reached."""


class ProxyFailed(TransportError):
    """The proxy refused, died, or wants a password."""


class TLSFailed(TransportError):
    """The TLS handshake failed or the certificate is not valid for the host."""


class ConnectionLost(TransportError):
    """The connection died before the answer was complete."""


class StreamTruncated(TransportError):
    """The answer ended without its finish reason; ``partial`` holds the text so far."""


class TimeLimitExceeded(TransportError, TimeoutError):
    """A time limit of the call ran out.

    :param seconds: its value.
    :param elapsed: seconds that had passed when it was noticed.
    """

    limit = ""

    def __init__(
        self,
        message: str,
        *,
        seconds: float | None = None,
        elapsed: float | None = None,
        provider: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(message, provider=provider, url=url)
        self.seconds = seconds
        self.elapsed = elapsed

    __str__ = ProviderError.__str__  # OSError has its own, which ignores ours


class ConnectTimeout(TimeLimitExceeded):
    """No connection within ``connect`` seconds."""

    limit = "connect"


class FirstTokenTimeout(TimeLimitExceeded):
    """No first piece of the answer within ``first_token`` seconds."""

    limit = "first_token"


class IdleTimeout(TimeLimitExceeded):
    """No further piece of the answer within ``idle`` seconds."""

    limit = "idle"


class DeadlineExceeded(TimeLimitExceeded):
    """The whole call took longer than ``deadline`` seconds."""

    limit = "deadline"


class ResponseError(ProviderError):
    """The response holds no answer."""


class HTTPStatusError(ResponseError):
    """The service responded with an error status."""


class RateLimited(HTTPStatusError):
    """429: too many requests; ``retry_after`` is how long to wait, if the service sent it.

    Its status is 429 unless another one is given: a service may say the same inside a response with the status 200.
    """

    def __init__(self, message: str, *, status: int | None = None, **fields: Any) -> None:
        super().__init__(message, status=429 if status is None else status, **fields)


class AuthenticationFailed(HTTPStatusError):
    """401 or 403: the key or token was refused."""


class Blocked(ResponseError):
    """A bot wall or captcha responded instead of the site; this library does not try to pass it."""


class Refused(ResponseError):
    """The service refuses; the message holds its own text."""


class PromptRejected(Refused, ValueError):
    """The service rejects the question for its content; the same question will be rejected again."""


class InvalidAnswer(ResponseError):
    """The answer is not what the protocol promises."""


class EmptyAnswer(ResponseError):
    """The answer is complete and holds neither text nor a tool call."""


class TooManyRounds(ResponseError):
    """The model asked for tools in each round that ``client.run`` was allowed, and gave no answer."""


class TokensNotFound(ResponseError, RuntimeError):
    """The page lacks a token that the protocol needs."""


class TokenPageFailed(HTTPStatusError, TokensNotFound):
    """The page that should hold the tokens has an error status."""


class TooLarge(ResponseError):
    """A size limit was passed; reading stopped there."""


class PluginError(ProviderError):
    """The plugin has a defect."""


class PluginLoadError(PluginError):
    """The plugin cannot be imported or registered."""


class PluginConflict(PluginError):
    """Two distributions offer the same provider name."""


class PluginContractError(PluginError):
    """The plugin broke the contract of chunks."""


class PluginCrashed(PluginError):
    """The plugin's code raised an error of its own."""


class BatchError(ProviderError):
    """A batch cannot go on; what its journal holds is whole, and the same run resumes it."""


class BatchStopped(BatchError):
    """A batch gave up early: too many prompts failed, or a service has not answered for minutes."""


class JournalError(BatchError):
    """The journal of a batch is in use, is damaged, or cannot be written."""


class AllProvidersFailed(ProviderError):
    """Every provider that was asked has failed."""


__all__ = sorted(
    name for name, kind in [*globals().items()] if isinstance(kind, type) and issubclass(kind, ProviderError)
)
