"""``chat()``: ask with one shared client."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from providers_sdk._engine.client import Client
from providers_sdk._engine.reply import Reply
from providers_sdk._model.messages import Messages

if TYPE_CHECKING:
    import requests

__all__ = ["chat"]


def chat(
    messages: Messages,
    *,
    provider: str | Sequence[str] | None = None,
    model: str | None = None,
    proxy: str | None = None,
    settings: Mapping[str, Mapping[str, str]] | None = None,
    session: "requests.Session | None" = None,
    **arguments: Any,
) -> Reply:
    """Ask a provider, and return the reply once its first piece is here.

    Calls share one client, so connections are kept and scraped pages fetched once; a call with ``proxy``,
    ``settings`` or ``session`` has a client of its own. For ``retries`` and more, make a :class:`Client`.

    :param messages: a prompt, or a sequence of ``{"role", "content"}`` mappings or ``Message`` values.
    :param provider: a name, or names in the order in which they are asked until one answers.
    :param model: the model to ask for.
    :param proxy: as for :class:`Client`, as are ``settings`` and ``session``.
    :param arguments: limits (``connect``, ``first_token``, ``idle``, ``deadline``), ``stream``, ``max_chars``, and
        options such as ``temperature``; see :meth:`Client.chat`.
    :raises ProviderError: see :meth:`Client.chat`.
    """
    if proxy is None and settings is None and session is None:
        return _get_shared_client().chat(messages, provider=provider, model=model, **arguments)
    client = Client(proxy=proxy, settings=settings, session=session)
    try:
        reply = client.chat(messages, provider=provider, model=model, **arguments)
    except BaseException:
        client.close()
        raise
    reply.add_done_callback(lambda _: client.close())
    return reply


@lru_cache(maxsize=1)
def _get_shared_client() -> Client:
    return Client()


chat.__module__ = "providers_sdk"
