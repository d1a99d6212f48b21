"""One attempt at a provider without a client: what ``Provider.create_completion`` runs."""

from collections.abc import Iterator

from providers_sdk._http.clock import Clock
from providers_sdk._model.chunks import Chunk
from providers_sdk._model.limits import Limits
from providers_sdk._model.request import Request
from providers_sdk._provider.attempt import AttemptRun
from providers_sdk._provider.binding import BoundProvider

__all__ = ["iter_attempt"]


def iter_attempt(
    bound: BoundProvider, request: Request, limits: Limits | None = None, *, allow_empty: bool = False
) -> Iterator[Chunk]:
    """Yield the chunks of one attempt, without retries; close the provider's connections at its end.

    :param limits: time limits, the usual ones where not given.
    :raises ProviderError: any of its tree.
    """
    given = bound.attempt_limits(limits or Limits(), stream=request.stream, first_token_is_default=limits is None)
    run = AttemptRun(bound, request, Clock(given), allow_empty=allow_empty)
    try:
        run.open()
        yield from run
    finally:
        run.close()
        bound.close()
