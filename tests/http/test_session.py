import base64
import copy
import os
import socket
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth, HTTPDigestAuth, HTTPProxyAuth

from providers_sdk import Client, ProviderError
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.requests_session import USER_AGENT
from providers_sdk._http.session import check_proxy
from providers_sdk.errors import AuthenticationFailed, ConnectFailed, InvalidArgument, ProxyFailed
from providers_sdk.testing import Connection, ProxyServer, RawServer, Received, TLSServer

OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
OpenHttp = Callable[..., Http]
Serve = Callable[..., RawServer]


@pytest.fixture
def site(serve: Serve, says: Callable[..., Any]) -> RawServer:
    return serve(says(OK))


@pytest.mark.parametrize(
    "proxy",
    [None, "", "http://proxy:3128", "https://user:pass@proxy", "HTTP://proxy", "socks5h://127.0.0.1:1080"],
)
def test_a_proxy_that_can_be_used_is_returned_as_it_is(proxy: str | None) -> None:
    assert check_proxy(proxy) == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        *("proxy:3128", "not a url", "ftp://user:sesame@proxy", "http://", "http://user:sesame@", "http://proxy:port"),
        *("http://user:sesame@proxy:99999", "http://proxy:0", "http://[::1", "://proxy", 7, b"http://proxy", ["p"]),
    ],
    ids=repr,
)
def test_a_proxy_that_cannot_be_used_is_refused_without_showing_it(proxy: Any) -> None:
    with pytest.raises(InvalidArgument, match="proxy must be an address") as caught:
        check_proxy(proxy)
    assert "sesame" not in str(caught.value)
    with pytest.raises(InvalidArgument):
        HttpSession(proxy=proxy)


def test_a_socks_proxy_without_the_extra_is_refused_naming_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InvalidArgument, match=r"pip install 'providers-sdk\[socks\]'"):
        HttpSession(proxy="socks5://127.0.0.1:1080")


HTTP = "http://acme.example/"


def test_the_argument_wins_over_the_lent_session_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://environment:1")
    lent = requests.Session()
    assert HttpSession(session=lent).proxies(HTTP)["http"] == "http://environment:1"
    lent.proxies = {"http": "http://lent:2"}
    assert HttpSession(session=lent).proxies(HTTP) == {"http": "http://lent:2"}
    assert HttpSession(session=lent, proxy="http://argument:3").proxies(HTTP)["http"] == "http://argument:3"


def test_an_empty_proxy_switches_the_environments_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://environment:1")
    monkeypatch.setenv("ALL_PROXY", "http://environment:1")
    assert HttpSession(proxy="").proxies(HTTP) == {}


@pytest.mark.parametrize("exempt", ["acme.example", ".example", "*", "localhost,::1,acme.example", "a, acme.example "])
def test_hosts_that_the_environment_exempts_are_asked_directly(monkeypatch: pytest.MonkeyPatch, exempt: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://environment:1")
    monkeypatch.setenv("NO_PROXY", exempt)
    assert not HttpSession().proxies(HTTP).get("http")


def test_what_the_environment_says_of_other_things_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "environment:1")
    monkeypatch.setenv("NO_PROXY", "localhost,::1,10.0.0.0/8")
    monkeypatch.setenv("HTTPS_PROXY", "http://[broken")
    monkeypatch.setenv("rsync_proxy", "a:b:c")
    assert HttpSession().proxies(HTTP)["http"] == "http://environment:1"


def test_a_broken_proxy_of_the_environment_is_refused_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, open_http: OpenHttp
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://user:sesame@[broken")
    with pytest.raises(InvalidArgument, match="proxy must be an address") as caught:
        open_http("http://acme.invalid").get("/")
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize("how", ["argument", "environment", "environment without scheme", "lent"])
def test_a_proxy_gets_the_whole_address_and_its_password(
    how: str, site: RawServer, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProxyServer(credentials="user:pass word") as proxy:
        address = proxy.url.replace("://", "://user:pass%20word@")
        lent = requests.Session()
        given: dict[str, Any] = {}
        if how == "argument":
            given = {"proxy": address}
        elif how == "lent":
            lent.proxies = {"http": address}
            given = {"session": lent}
        else:
            monkeypatch.setenv("HTTP_PROXY", address.removeprefix("http://" if "without" in how else ""))
        assert open_http(site.url, **given).post("/ask", json={}).json() == {}
        assert [(it.method, it.target) for it in proxy.requests] == [("POST", f"{site.url}/ask")]
    assert "proxy-authorization" not in site.requests[0].headers


def test_no_proxy_of_the_environment_is_used_where_none_is_wanted(
    site: RawServer, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ProxyServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert open_http(site.url, proxy="").get("/").json() == {}
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert open_http(site.url).get("/").json() == {}
        assert proxy.connections == 0


def test_a_proxy_that_wants_another_password_has_failed(site: RawServer, open_http: OpenHttp) -> None:
    with ProxyServer(credentials="user:right") as proxy:
        http = open_http(site.url, proxy=proxy.url.replace("://", "://user:sesame@"))
        with pytest.raises(ProxyFailed) as caught:
            http.get("/").json()
        assert caught.value.status == 407
        tunnel = open_http(site.url.replace("http:", "https:"), proxy=proxy.url.replace("://", "://user:sesame@"))
        with pytest.raises(ProxyFailed, match="407"):
            tunnel.get("/")
    assert site.requests == []


def test_https_goes_through_a_tunnel(
    serve_tls: Callable[..., TLSServer], says: Callable[..., Any], open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = serve_tls(says(OK))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", site.ca)
    with ProxyServer(credentials="user:pass") as proxy:
        http = open_http(site.url, proxy=proxy.url.replace("://", "://user:pass@"))
        assert [http.get("/").json(), http.get("/").json()] == [{}, {}]
        assert [(it.method, it.target) for it in proxy.requests] == [("CONNECT", "{}:{}".format(*site.address))]
        http.close()
    assert [it.target for it in site.requests] == ["/", "/"]
    assert not any("proxy-authorization" in it.headers for it in site.requests)


def test_a_proxy_where_nobody_listens_has_failed(open_http: OpenHttp) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ProxyFailed):
            open_http("http://acme.invalid", proxy="http://{}:{}".format(*taken.getsockname())).get("/")


@pytest.mark.parametrize(
    ("status", "kind", "text"),
    [
        (403, ProxyFailed, "the proxy does not allow a connection to this server (Tunnel connection failed: 403 No)"),
        (407, ProxyFailed, "the proxy failed; check its address and password"),
        (500, ProxyFailed, "the proxy failed"),
        (502, ConnectFailed, "the proxy could not reach the server; check the address and that the server runs"),
        (503, ConnectFailed, "the proxy could not reach the server"),
        (504, ConnectFailed, "the proxy could not reach the server"),
    ],
)
def test_a_server_that_a_proxy_cannot_reach_is_not_the_proxys_failure(
    status: int, kind: type[ProviderError], text: str, serve: Serve, says: Callable[..., Any], open_http: OpenHttp
) -> None:
    proxy = serve(says(b"HTTP/1.1 %d No\r\ncontent-length: 0\r\n\r\n" % status))
    with pytest.raises(kind) as caught:
        open_http("https://acme.invalid", proxy=proxy.url).get("/")
    assert type(caught.value) is kind
    assert text in caught.value.message


SECRETS = ["user:se%40same@", "user:se@same@", "user:se@same@", "sesame-key@", "sesame-key:@"]


@pytest.mark.parametrize("info", SECRETS)
@pytest.mark.parametrize("how", ["argument", "environment", "environment without scheme", "lent"])
def test_the_secrets_of_every_proxy_are_hidden(how: str, info: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lent = requests.Session()
    if how == "argument":
        redact = HttpSession(proxy=f"http://{info}proxy:1").redact
    elif how == "lent":
        lent.proxies = {"https": f"http://{info}proxy:1"}
        redact = HttpSession(session=lent).redact
    else:
        monkeypatch.setenv("https_proxy", f"{'' if 'without' in how else 'http://'}{info}proxy:1")
        redact = HttpSession().redact
    plain = info[:-1].replace("%40", "@")
    for text in (info[:-1], plain, base64.b64encode(plain.encode()).decode()):
        shown = redact(f"<{text}>")
        assert "[hidden]" in shown
        assert "same" not in shown
        assert base64.b64encode(plain.encode()).decode() not in shown


@pytest.mark.parametrize(
    "name",
    ["Authorization", "x-api-key", "Cookie", "X-Auth-Token", "client-secret", "X-Password", "X-Session-Id", "X-Tenant"],
)
def test_the_credentials_of_a_lent_session_are_hidden(name: str) -> None:
    lent = requests.Session()
    lent.headers[name] = "Bearer sesame-1"
    lent.auth = ("bob", "sesame-2")
    lent.cookies.set("session", "sesame-3")
    redact = HttpSession(session=lent).redact
    assert redact("sesame-1, sesame-2, sesame-3") == "[hidden], [hidden], [hidden]"
    assert redact("Bearer, bob, session") == "Bearer, bob, session"
    assert redact("Basic " + base64.b64encode(b"bob:sesame-2").decode()) == "Basic [hidden]"


PARAMS: dict[str, Any] = {
    "mapping": {"key": "sesame", "page": "2", "lang": "english"},
    "lists": {"key": ["sesame", b"sesame"], "lang": "english"},
    "pairs": [("lang", "english"), ("key", "sesame")],
    "text": "lang=english&key=sesame",
    "bytes": b"lang=english&key=sesame",
    "machine-made": {"v": "sesame-0", "lang": "english"},
}


@pytest.mark.parametrize("params", PARAMS.values(), ids=PARAMS)
def test_the_credentials_in_the_params_of_a_lent_session_are_hidden(params: Any) -> None:
    lent = requests.Session()
    lent.params = params
    shown = HttpSession(session=lent).redact("key=sesame-0&lang=english")
    assert "sesame" not in shown
    assert "lang=english" in shown


def test_what_describes_a_message_or_its_sender_is_no_credential() -> None:
    lent = requests.Session()
    lent.headers.update({"accept-language": "de-DE,de;q=0.9", "user-agent": "my-script/1.0.2024", "x-team": "kitchen"})
    text = "de-DE,de;q=0.9 my-script/1.0.2024 kitchen gzip, deflate keep-alive"
    assert HttpSession(session=lent).redact(text) == text


class SignsEach(AuthBase):
    """Adds what no field of it holds."""

    def __call__(self, prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["x-hmac"] = "Signature open-sesame"
        prepared.headers["content-length"] = "0"
        prepared.prepare_url(prepared.url or "", {"signed": "by/sesame"})
        return prepared


def signs(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
    return SignsEach()(prepared)


@pytest.mark.parametrize(
    "auth",
    [HTTPBasicAuth("bob", "sesame-2"), HTTPDigestAuth("bob", "sesame-2"), HTTPProxyAuth("bob", "sesame-2")],
    ids=lambda auth: type(auth).__name__,
)
def test_the_password_of_a_lent_auth_object_is_hidden_before_it_is_used(auth: Any) -> None:
    lent = requests.Session()
    lent.auth = auth
    redact = HttpSession(session=lent).redact
    assert redact("bob:sesame-2") == "[hidden]"
    assert redact("Basic " + base64.b64encode(b"bob:sesame-2").decode()) == "Basic [hidden]"


@pytest.mark.parametrize("auth", [SignsEach(), signs], ids=["object", "function"])
def test_what_a_lent_auth_callable_adds_to_a_request_is_hidden(auth: Any, serve: Serve, open_http: OpenHttp) -> None:
    def echoes(connection: Connection, received: Received) -> None:
        said = f"{received.headers['x-hmac']} {received.target} {received.headers['x-hmac'].split()[1]}".encode()
        connection.send(b"HTTP/1.1 401 No\r\ncontent-length: %d\r\n\r\n%b" % (len(said), said))

    site, lent = serve(echoes), requests.Session()
    lent.auth = auth
    with pytest.raises(AuthenticationFailed) as caught:
        open_http(site.url, session=lent).get("/").json()
    assert site.requests[0].headers["x-hmac"] == "Signature open-sesame"
    assert "sesame" not in caught.value.message
    assert caught.value.message.count("[hidden]") == 3


def test_of_an_auth_that_signs_each_request_anew_only_the_last_signatures_are_kept(
    site: RawServer, open_http: OpenHttp
) -> None:
    numbers = iter(range(1000, 9999))

    def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        prepared.headers["x-signature"] = f"sesame-{next(numbers)}"
        return prepared

    lent = requests.Session()
    lent.auth = sign
    pool = HttpSession(session=lent)
    http = open_http(site.url, pool=pool)
    for _ in range(100):
        http.get("/").json()
    assert pool.redact("sesame-1099 sesame-1098") == "[hidden] [hidden]"
    assert len(pool.redact.secrets) == 32
    pool.close()


def test_a_lent_session_that_changed_before_it_was_first_used_is_hidden_as_it_is_used(
    site: RawServer, open_http: OpenHttp
) -> None:
    lent = requests.Session()
    pool = HttpSession(session=lent)
    lent.headers["x-password"] = "sesame"
    open_http(site.url, pool=pool).get("/").json()
    assert site.requests[0].headers["x-password"] == "sesame"
    assert pool.redact("sesame") == "[hidden]"
    pool.close()


def test_certificates_are_checked_against_what_the_session_or_the_variable_names(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    lent, curl, ours = requests.Session(), tmp_path / "curl.pem", tmp_path / "requests.pem"
    curl.touch()
    ours.touch()
    assert HttpSession().verify() is True
    monkeypatch.setenv("CURL_CA_BUNDLE", str(curl))
    assert HttpSession().verify() == str(curl)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ours))
    assert HttpSession(session=lent).verify() == str(ours)
    lent.verify = str(tmp_path)
    assert HttpSession(session=lent).verify() == str(tmp_path)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_certificates_that_are_not_there_are_refused_naming_the_variable(
    variable: str, site: RawServer, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "nothing.pem"))
    with pytest.raises(InvalidArgument, match=variable):
        open_http(site.url).get("/")
    assert site.connections == 0


@pytest.mark.parametrize("field", ["verify", "cert"])
@pytest.mark.parametrize("pair", [False, True])
def test_a_file_that_a_lent_session_names_and_that_is_not_there_is_refused_and_not_asked_again(
    field: str, pair: bool, site: RawServer, tmp_path: Path
) -> None:
    lent, missing = requests.Session(), str(tmp_path / "nothing.pem")
    setattr(lent, field, (str(tmp_path), missing) if pair and field == "cert" else missing)
    settings = {"pizzagpt": {"url": site.url.replace("http:", "https:")}}
    with Client("pizzagpt", settings=settings, session=lent, proxy="", retries=2) as client:
        with pytest.raises(InvalidArgument, match=f"session.{field}") as caught:
            client.chat("hi")
    assert len(caught.value.attempts) == 1
    assert site.connections == 0


@pytest.mark.parametrize("lends", [None, "gzip, deflate, br, zstd", b"br", "gzip;q=1, *", "identity", "gzip"])
def test_only_packings_of_bounded_size_are_offered(lends: Any, site: RawServer, open_http: OpenHttp) -> None:
    lent = requests.Session()
    if lends is not None:
        lent.headers["accept-encoding"] = lends
    open_http(site.url, session=lent).get("/").json()
    offered = site.requests[0].headers["accept-encoding"]
    assert offered == (lends if lends in ("identity", "gzip") else "gzip, deflate")


class Counting(HTTPAdapter):
    """An adapter of the caller's own."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.closed = 0

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.sent += 1
        return super().send(*args, **kwargs)

    def close(self) -> None:
        self.closed += 1
        super().close()


def test_a_lent_session_is_used_and_neither_written_to_nor_closed(serve: Serve, open_http: OpenHttp) -> None:
    def sets_cookies(connection: Connection, _: Received) -> None:
        connection.send(OK.replace(b"\r\n\r\n", b"\r\nset-cookie: theirs=1\r\n\r\n"))

    site, adapter, lent = serve(sets_cookies), Counting(), requests.Session()
    lent.headers["x-mine"] = "yes"
    lent.auth, lent.params = ("bob", "pass"), {"page": "2"}
    lent.cookies.set("mine", "7")
    lent.mount(site.url, adapter)
    mounted, before = dict(lent.adapters), copy.deepcopy(vars(lent) | {"adapters": None})
    pool = HttpSession(session=lent)
    http = open_http(site.url, pool=pool)
    assert [http.get("/").json(), http.post("/", json={}).json()] == [{}, {}]
    http.close()
    pool.close()
    got = site.requests[0]
    assert (got.target, got.headers["x-mine"], got.headers["cookie"]) == ("/?page=2", "yes", "mine=7")
    assert got.headers["authorization"] == "Basic " + base64.b64encode(b"bob:pass").decode()
    assert (adapter.sent, adapter.closed) == (2, 0)
    assert dict(lent.adapters) == mounted
    after = vars(lent) | {"adapters": None}
    assert {name for name in after if name != "cookies" and after[name] != before[name]} == set()
    assert [(it.name, it.value) for it in lent.cookies] == [("mine", "7")]
    lent.close()


def test_a_header_of_the_lent_session_that_cannot_be_sent_is_refused_without_showing_it(
    site: RawServer, open_http: OpenHttp
) -> None:
    lent = requests.Session()
    values: list[Any] = ["sesame\n", "sesame\r\nx: y", " sesame", "sesame…", b"sesame\x00"]
    for value in values:
        lent.headers.update({"authorization": value})
        with pytest.raises(InvalidArgument, match="'authorization'") as caught:
            open_http(site.url, session=lent).get("/")
        assert "sesame" not in str(caught.value)
    assert site.connections == 0


def test_headers_that_a_lent_session_gives_as_bytes_or_leaves_out_are_taken(
    site: RawServer, open_http: OpenHttp
) -> None:
    lent = requests.Session()
    given: dict[str, Any] = {"x-mine": b"yes", "accept": None}
    lent.headers.update(given)
    assert open_http(site.url, session=lent).get("/").json() == {}
    assert site.requests[0].headers["x-mine"] == "yes"
    assert "accept" not in site.requests[0].headers


def test_a_client_says_who_it_is_and_a_lent_session_may_say_otherwise(site: RawServer, open_http: OpenHttp) -> None:
    lent = requests.Session()
    open_http(site.url).get("/").json()
    open_http(site.url, session=lent).get("/").json()
    lent.headers["user-agent"] = "my-script/1"
    open_http(site.url, session=lent).get("/").json()
    assert [it.headers["user-agent"] for it in site.requests] == [USER_AGENT, USER_AGENT, "my-script/1"]


def test_a_netrc_file_does_not_decide_about_credentials(
    site: RawServer, open_http: OpenHttp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login bob password sesame\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    http = open_http(site.url)
    http.get("/", headers={"authorization": "Bearer mine"}).json()
    http.get("/").json()
    assert [it.headers.get("authorization") for it in site.requests] == ["Bearer mine", None]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_gets_connections_of_its_own(site: RawServer, open_http: OpenHttp) -> None:
    http = open_http(site.url)
    assert http.get("/").json() == {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forking a process with threads
        child = os.fork()
    if child == 0:
        os._exit(0 if http.get("/").json() == {} else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert http.get("/").json() == {}
    assert (site.connections, len(site.requests)) == (2, 3)
