"""``providers demo``: the real plugins ask fakes of their services, over real HTTP on this machine."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from providers_sdk._engine.client import Client
from providers_sdk._engine.reply import Reply
from providers_sdk._plugins.registry import Registry
from providers_sdk._provider.provider import Provider
from providers_sdk.cli._demo_view import DemoResult, DemoView
from providers_sdk.cli._exit_codes import FAILED, traceback_option
from providers_sdk.cli._target import find_fake_service
from providers_sdk.errors import ProviderError
from providers_sdk.testing import FakeService, Received, Response

__all__ = ["command"]

QUESTION = "What makes a good pizza?"
ANSWERS = {
    "pizzagpt": "A hot stone, a thin base, and the courage to leave most toppings out.",
    "gizai": "Flour, water, salt, yeast, and a day of patience: time is what gives the dough its taste.",
    "chatgptt": "Three things: a dough that has rested overnight, tomatoes that taste of summer, and an oven hotter "
    "than you dare. The rest is good company.",
    "chatgptfree": "Ask Naples: ninety seconds in the fire, a blistered rim, a soft middle. Ask anyone else: whatever "
    "was in the fridge, shared while it is hot.",
}
_PACE, _DEADLINE = 0.04, 10.0

Exchange = tuple[Received, Response]


@click.command("demo")
@traceback_option
@click.pass_context
def command(ctx: click.Context) -> None:
    """See four providers answer, without a network.

    The real plugins speak their real protocols over real HTTP, to fake services on this machine.
    Exit code 0 if all four answered, else 1.
    """
    view = DemoView(QUESTION)
    registry = Registry()
    results = [_show_provider(view, registry, name) for name in ANSWERS]
    view.summary(results)
    ctx.exit(0 if all(result.answered for result in results) else FAILED)


def _show_provider(view: DemoView, registry: Registry, name: str) -> DemoResult:
    """Ask one provider with its fake service, and show the result."""
    view.heading(name)
    try:
        provider = registry.get(name)
        with _run_fake(provider, ANSWERS[name]) as (site, exchanges), _make_client(registry, name, site) as client:
            view.fact("site", f"{site.url}, a fake service of {provider.url}")
            with client.chat(QUESTION) as reply:
                return _show_reply(view, reply, exchanges)
    except ProviderError as error:
        view.fact("failed", str(error))
        return DemoResult(name=name, finish=type(error).__name__)


def _make_client(registry: Registry, name: str, site: FakeService) -> Client:
    # proxy="": the fake service is on this machine, whatever proxy the environment names
    return Client(name, settings={name: site.client_settings()}, proxy="", deadline=_DEADLINE, registry=registry)


@contextmanager
def _run_fake(provider: type[Provider], text: str) -> Iterator[tuple[FakeService, list[Exchange]]]:
    """Run the fake service of a provider's service; yield it, and its requests and responses."""
    kind = find_fake_service(provider.fake_service)
    if kind is None:
        raise ProviderError("has no fake service", provider=provider.__name__)
    site = kind(reply_pieces=re.findall(r"\S+\s*", text))
    site.before_next_piece = lambda: time.sleep(_PACE)
    exchanges: list[Exchange] = []
    site.respond = _record_exchanges(site.respond, exchanges)  # type: ignore[method-assign,assignment]
    with site:
        yield site, exchanges


def _record_exchanges(
    respond: Callable[[Received], Response], exchanges: list[Exchange]
) -> Callable[[Received], Response]:
    def noted(received: Received) -> Response:
        response = respond(received)
        exchanges.append((received, response))
        return response

    return noted


def _show_reply(view: DemoView, reply: Reply, exchanges: list[Exchange]) -> DemoResult:
    """Show ``reply`` while it is read to its end."""
    pages = [_describe_page(*exchange) for exchange in exchanges if exchange[0].method == "GET"]
    question = exchanges[-1][0]
    tokens = {name: question.form[name] for name in ("_wpnonce", "post_id") if name in _read_form(question)}
    view.fact("page", ", ".join(pages) or "none needed")
    view.fact("tokens", ", ".join(f"{name} = {value}" for name, value in tokens.items()) or "none needed")
    view.fact("asked", f"{question.method} {question.path}")
    pieces = view.stream("answer", reply)
    attempt = reply.attempts[-1]
    result = DemoResult(
        name=reply.provider,
        page=bool(pages),
        tokens=len(tokens),
        pieces=pieces,
        first_token=attempt.first_token,
        total=attempt.total,
        finish=reply.finish_reason or "no reason",
        answered=True,
    )
    view.fact("finish", f"{result.finish}; {result.times}")
    return result


def _read_form(question: Received) -> dict[str, str]:
    kind = question.headers.get("content-type", "")
    return question.form if kind.startswith("application/x-www-form-urlencoded") else {}


def _describe_page(received: Received, response: Response) -> str:
    size = len(response.body) if isinstance(response.body, bytes) else 0
    return f"{received.method} {received.path} -> status {response.status}, {size:,} bytes"
