"""AI Power on real sites: guests, passwords, caches, redirects, bots, folders, and pages without a chat."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from providers_sdk import Client, ProviderError, Refused, Reply
from providers_sdk.errors import AuthenticationFailed, HTTPStatusError, TokenPageFailed
from providers_sdk.testing import Connection, RawServer, Received, TLSServer, html
from providers_sdk_plugins.fakes.aipower import AIPowerSite

Outcome = Callable[..., str | ProviderError]
PROVIDERS = ("aipower", "chatgptt", "chatgptfree")


@contextmanager
def client_of(site: AIPowerSite, provider: str = "aipower", **settings: str) -> Iterator[Client]:
    given = {**site.client_settings(), **settings}
    with Client(provider, retries=0, settings={provider: given}) as client:
        yield client


def methods(site: RawServer) -> list[str]:
    return [received.method for received in site.requests]


# --- one guest ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_client_is_one_guest_of_the_site_and_meets_its_limit(provider: str) -> None:
    with AIPowerSite("guest_limit") as site:
        with client_of(site, provider) as client:
            assert client.chat("One").text == site.text
            with pytest.raises(Refused, match="You have reached your token limit"):
                client.chat("Two")
        with client_of(site, provider) as another:
            assert another.chat("Three").text == site.text
    guests = [received.form["wpaicg_chat_client_id"] for received in site.requests if received.method == "POST"]
    assert guests[0] == guests[1] != guests[2]


# --- a password in the address ---


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_password_in_the_address_is_sent_as_basic_authentication_only(provider: str) -> None:
    with AIPowerSite() as site, client_of(site, provider, url=site.url.replace("://", "://me:sesame@")) as client:
        assert client.chat("Hi").text == site.text
    page, question = site.requests
    for received in (page, question):
        assert received.headers.pop("authorization") == "Basic bWU6c2VzYW1l"
        assert "sesame" not in f"{received.target} {received.headers} {received.body.decode()}"
    assert question.headers["origin"] == site_of(question) == question.form["url"]
    assert question.headers["referer"].startswith(f"{site_of(question)}/")


def site_of(received: Received) -> str:
    return f"http://{received.headers['host']}"


# --- a cached page ---


def test_a_cached_page_is_passed_by_a_query_and_costs_one_refusal() -> None:
    with AIPowerSite("cached") as site, client_of(site) as client:
        for _ in range(3):
            assert client.chat("Hi").text == site.text
    assert methods(site) == ["GET", "POST", "GET", "POST", "POST", "POST"]
    assert [received.path for received in site.requests[:3]] == ["/", "/wp-admin/admin-ajax.php", "/"]


def test_a_nonce_that_a_cache_never_renews_is_posted_once_and_named_as_cached() -> None:
    with AIPowerSite("cached_for_good") as site, client_of(site) as client:
        for _ in range(2):
            with pytest.raises(AuthenticationFailed, match=r"link you followed has expired.*probably a cached copy"):
                client.chat("Hi")
    assert methods(site) == ["GET", "POST", "GET", "GET"]


# --- where the chat and WordPress are ---


def test_the_setting_page_names_the_page_of_the_chat() -> None:
    with AIPowerSite("other_page") as site:
        for page in ("/chat/", "chat/", f"{site.url}/chat/"):
            with client_of(site, page=page) as client:
                assert client.chat("Hi").text == site.text
        assert {received.path for received in site.requests if received.method == "GET"} == {"/chat/"}
        assert site.requests[-1].headers["referer"] == f"{site.url}/chat/"


def test_without_it_the_error_says_that_the_front_page_has_no_chat(outcome: Outcome) -> None:
    with AIPowerSite("other_page") as site:
        site.client_settings = lambda: {"url": site.url}  # type: ignore[method-assign]
        error = outcome(site, "aipower")
    assert type(error) is Refused
    assert "shows no chat" in error.message
    assert "the setting 'page' names the page that has one" in error.message
    assert methods(site) == ["GET"]


def test_the_chat_tells_in_which_folder_wordpress_is() -> None:
    with AIPowerSite("folder") as site, client_of(site) as client:
        assert client.chat("Hi").text == site.text
        question = site.requests[-1]
        assert question.path == "/wp/wp-admin/admin-ajax.php"
        assert (question.form["url"], question.headers["origin"]) == (f"{site.url}/wp", site.url)


class Elsewhere(AIPowerSite):
    """Its page names another host's WordPress."""

    @property
    def url(self) -> str:
        return "https://elsewhere.example/wp"

    def client_settings(self) -> dict[str, str]:
        return {"url": super().url}


def test_an_address_on_another_host_that_the_page_names_is_not_used() -> None:
    with Elsewhere() as site, client_of(site) as client:
        assert client.chat("Hi").text == site.text
        assert site.requests[-1].path == "/wp-admin/admin-ajax.php"


def test_a_page_that_is_not_there_is_answered_with_what_url_and_page_should_be(outcome: Outcome) -> None:
    with AIPowerSite("not_found") as site:
        error = outcome(site, "aipower")
    assert type(error) is TokenPageFailed
    for words in (f"{site.requests[0].headers['host']}/ answered 404", "'url' is the address of", "'page' names"):
        assert words in error.message


def test_a_wordpress_that_is_not_there_is_named_with_what_url_should_be() -> None:
    with AIPowerSite() as site, client_of(site) as client:
        site.folder = "/moved"
        assert client.chat("Hi").text == site.text
        site.folder = "/moved/again"
        with pytest.raises(HTTPStatusError, match="answered 404") as caught:
            client.chat("Hi")
    assert f"asked was {site_of(site.requests[-1])}/moved/wp-admin/admin-ajax.php" in caught.value.message
    assert "the setting 'url' should be the address of the WordPress" in caught.value.message


def test_a_page_without_a_post_id_is_asked_without_one() -> None:
    with AIPowerSite("no_post_id") as site, client_of(site) as client:
        assert client.chat("Hi").text == site.text
    assert "post_id" not in site.requests[-1].form


# --- bots ---


def test_the_bot_of_the_page_is_asked() -> None:
    with AIPowerSite("custom_bot") as site, client_of(site) as client:
        assert client.chat("Hi").text == site.text
    assert site.requests[-1].form["bot_id"] == "6"


def test_the_setting_bot_chooses_another() -> None:
    with AIPowerSite("custom_bot") as site, client_of(site, bot="9") as client:
        assert client.chat("Hi").text == "Another bot answers."
    assert site.requests[-1].form["bot_id"] == "9"


def test_of_two_chats_on_a_page_the_setting_bot_prefers_its_own() -> None:
    with AIPowerSite("two_chats") as site, client_of(site, bot="6") as client:
        with pytest.raises(AuthenticationFailed):  # this fake's custom bot has a nonce that is not valid
            client.chat("Hi")
    form = site.requests[1].form
    assert (form["bot_id"], form["_wpnonce"]) == ("6", "c0ffee0000")


# --- the model ---


@pytest.mark.parametrize(
    ("provider", "model"), [("aipower", None), ("chatgptt", "gpt-4"), ("chatgptfree", "gpt-4o-mini")]
)
def test_no_model_is_sent_and_the_reply_claims_none(provider: str, model: str | None) -> None:
    with AIPowerSite() as site, client_of(site, provider) as client:
        assert client.chat("Hi", model=model).model is None
    assert "gpt" not in site.requests[-1].body.decode()


# --- redirects ---


class TLSSite(TLSServer, AIPowerSite):
    """An AI Power site in TLS."""


class Pointing(RawServer):
    """Points every GET to a location, and answers every POST as a web server does that wants https."""

    def __init__(self, location: str) -> None:
        super().__init__()
        self._location = location

    def serve(self, connection: Connection) -> None:
        while (received := connection.receive()) is not None:
            self.requests.append(received)
            for piece in html("", status=301, headers={"Location": self._location}).encode():
                connection.send(piece)


def ask_at(url: str) -> Reply:
    with Client("aipower", retries=0, settings={"aipower": {"url": url}}) as client:
        reply = client.chat("Hi")
        assert reply.text
        return reply


def test_after_a_redirect_to_https_the_question_goes_to_https(monkeypatch: pytest.MonkeyPatch) -> None:
    with TLSSite() as site, Pointing(f"{site.url}/") as plain:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
        assert ask_at(plain.url.replace("://", "://me:sesame@")).text == site.text
        assert methods(plain) == ["GET"]
        page, question = site.requests
        assert (question.headers["origin"], question.form["url"]) == (site.url, site.url)
        assert {received.headers["authorization"] for received in (page, question)} == {"Basic bWU6c2VzYW1l"}


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://elsewhere.invalid/chat", "it redirects to https://elsewhere.invalid/chat, another host"),
        ("/", "it redirects in a circle, back to http://127.0.0.1"),
    ],
)
def test_a_redirect_that_is_not_followed_is_named_with_its_target(location: str, words: str) -> None:
    with Pointing(location) as plain, pytest.raises(TokenPageFailed) as caught:
        ask_at(plain.url)
    assert words in caught.value.message
    assert "POST" not in methods(plain)


# --- what a status means on such a site ---


def answers(status: int, body: str) -> Callable[[Connection, Received], None]:
    def fault(connection: Connection, _: Received) -> None:
        for piece in html(body, status=status).encode():
            connection.send(piece)

    return fault


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, "0", "WordPress does not know the action: AI Power is probably switched off"),
        (413, "<title>413 Request Entity Too Large</title>", "the question is too long for this site's web server"),
    ],
)
def test_a_status_of_the_question_says_what_it_means(status: int, body: str, words: str) -> None:
    with AIPowerSite() as site, client_of(site) as client:
        site.fault = answers(status, body)
        with pytest.raises(HTTPStatusError, match=words) as caught:
            client.chat("Hi")
    assert caught.value.status == status


def test_another_400_is_not_blamed_on_the_plugin() -> None:
    with AIPowerSite() as site, client_of(site) as client:
        site.fault = answers(400, "no")
        with pytest.raises(HTTPStatusError) as caught:
            client.chat("Hi")
    assert "switched off" not in caught.value.message


@pytest.mark.parametrize("case", ["no_chat", "password"])
def test_a_nonce_of_the_script_is_not_used_where_the_page_shows_no_chat(case: str, outcome: Outcome) -> None:
    with AIPowerSite(case) as site:
        assert type(outcome(site, "aipower")) is Refused
    assert methods(site) == ["GET"]
