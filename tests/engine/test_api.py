"""``chat()``: one call, no client to care for."""

import threading
from collections.abc import Iterator

import pytest

from providers_sdk import ProviderError, Reply, chat
from providers_sdk._engine import api
from providers_sdk.errors import InvalidArgument, NoProviderChosen, UnknownProvider, UnsupportedOption
from providers_sdk.testing import Connection, Received
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite


@pytest.fixture(autouse=True)
def _fresh_client() -> Iterator[None]:
    """Each test has the shared client to itself."""
    api._get_shared_client.cache_clear()
    yield
    api._get_shared_client().close()
    api._get_shared_client.cache_clear()


def test_the_five_lines_of_the_readme(capsys: pytest.CaptureFixture[str]) -> None:
    for text in chat("Name three pizzas", provider="echo"):
        print(text, end="", flush=True)
    assert capsys.readouterr().out == "Name three pizzas"


def test_it_returns_a_reply() -> None:
    reply = chat([{"role": "user", "content": "Hi"}], provider="echo", model="echo", deadline=5, max_chars=10)
    assert isinstance(reply, Reply)
    assert (reply.text, reply.model) == ("Hi", "echo")


def test_the_environment_chooses_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_PROVIDER", "echo")
    assert chat("Hi").provider == "echo"
    monkeypatch.delenv("PROVIDERS_SDK_PROVIDER")
    with pytest.raises(NoProviderChosen):
        chat("Hi")


def test_calls_share_connections_and_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    with AIPowerSite() as site:
        monkeypatch.setenv("PROVIDERS_SDK_CHATGPTFREE_URL", site.url)
        for _ in range(3):
            assert chat("Hi", provider="chatgptfree").text == site.text
        assert [received.method for received in site.requests] == ["GET", "POST", "POST", "POST"]
        assert site.connections == 1
        api._get_shared_client().close()
        assert site.wait_idle(10)


def test_a_call_with_settings_has_a_client_of_its_own_which_ends_with_the_reply() -> None:
    with PizzagptSite() as site:
        settings = {"pizzagpt": site.client_settings()}
        reply = chat("Hi", provider="pizzagpt", settings=settings)
        assert reply.text == site.text
        assert site.wait_idle(10)
        with pytest.raises(UnsupportedOption):
            chat("Hi", provider="pizzagpt", settings=settings, temperature=0.2)


def test_a_reply_of_a_client_of_its_own_that_is_left_early_leaves_nothing_open() -> None:
    def first_piece_only(connection: Connection, _: Received) -> None:
        pieces = iter(connection.intended_response.encode())
        for _piece in range(3):
            connection.send(next(pieces))
        connection.wait_closed()

    with AIPowerSite() as site:
        site.fault = first_piece_only
        for _ in chat("Hi", provider="chatgptfree", settings={"chatgptfree": site.client_settings()}):
            break
        assert site.wait_idle(10)


def test_a_call_that_failed_leaves_nothing_open() -> None:
    with PizzagptSite("html") as site:
        with pytest.raises(ProviderError, match="asks for a password"):
            chat("Hi", provider="pizzagpt", settings={"pizzagpt": site.client_settings()})
        assert site.wait_idle(10)


def test_mistakes_are_told_at_the_call() -> None:
    with pytest.raises(UnknownProvider, match="did you mean 'echo'"):
        chat("Hi", provider="ekho")
    with pytest.raises(InvalidArgument):
        chat("Hi", provider="echo", proxy="no scheme")
    with pytest.raises(InvalidArgument):
        chat("Hi", provider="echo", deadline=0)


def test_threads_that_call_at_once_share_one_client() -> None:
    barrier, texts = threading.Barrier(16), []

    def ask(number: int) -> None:
        barrier.wait(10)
        texts.append(chat(f"number {number}", provider="echo").text)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(texts) == sorted(f"number {number}" for number in range(16))
