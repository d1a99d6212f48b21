"""The rows of the services: their schema, their entry points, and what each of them changes in a request."""

import configparser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_origin, get_type_hints
from urllib.parse import urlsplit

import pytest

from providers_sdk import Client, Limits, Reply
from providers_sdk._http.client import Http, HttpSession
from providers_sdk._http.clock import Clock
from providers_sdk.errors import AuthenticationFailed, HTTPStatusError, InvalidAnswer, InvalidArgument, MissingSetting
from providers_sdk.testing import Received, Response, json_response
from providers_sdk_plugins._openai import OpenAICompatible
from providers_sdk_plugins._rows import Row
from providers_sdk_plugins.fakes.openai import SITES, OpenAISite
from providers_sdk_plugins.services import ROWS, SERVICES

ROOT = Path(__file__).parents[2]


def test_each_row_has_an_entry_point_and_each_entry_point_a_row() -> None:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options.entry_points"]["providers_sdk"].strip().splitlines()
    modules = dict(line.split(" = ") for line in lines)
    assert sorted(name for name, module in modules.items() if module == "providers_sdk_plugins.services") == sorted(
        ROWS
    )


@contextmanager
def http_of(provider: OpenAICompatible) -> Iterator[Http]:
    pool = HttpSession()
    http = Http(pool, Clock(Limits()), provider.url)
    yield http
    http.close()
    pool.close()


def list_models(provider: OpenAICompatible) -> list[str]:
    with http_of(provider) as http:
        return list(provider.list_models(http))


@pytest.mark.parametrize("name", SERVICES)
def test_the_models_are_those_that_the_service_lists(name: str) -> None:
    with SITES[name]() as site:
        found = list_models(SERVICES[name](site.client_settings()))
    assert found == (site.models if ROWS[name].models_endpoint else [])


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("openai", "GET /models"),
        ("azure", "GET /openai/v1/models"),
        ("groq", "GET /openai/v1/models"),
        ("perplexity", "GET /v1/models"),
        ("github-models", "GET /catalog/models"),
    ],
)
def test_the_list_of_models_is_asked_for_where_the_row_says(name: str, target: str) -> None:
    with SITES[name]() as site:
        list_models(SERVICES[name](site.client_settings()))
        [received] = site.requests
    assert f"{received.method} {received.target}" == target


def test_a_refused_key_is_an_error_of_the_list_too() -> None:
    with OpenAISite() as site, pytest.raises(AuthenticationFailed):
        list_models(SERVICES["openai"]({"url": site.url, "key": "wrong"}))


@pytest.mark.parametrize("body", [{"data": {}}, {"models": []}, [1], [{"name": "a"}], "a"])
def test_what_is_no_list_of_models_is_an_error(body: object) -> None:
    class Other(OpenAISite):
        def respond(self, received: Received) -> Response:
            return json_response(body)

    with Other() as site, pytest.raises(InvalidAnswer, match="no list of models"):
        list_models(SERVICES["openai"](site.client_settings()))


def test_a_list_that_is_not_there_names_the_address() -> None:
    with SITES["perplexity"]() as site, pytest.raises(HTTPStatusError, match=f"asked was {site.url}/models"):
        list_models(SERVICES["openai"](site.client_settings()))


Ask = Callable[..., Reply]


@pytest.mark.parametrize("name", SERVICES)
def test_a_request_carries_the_key_and_the_headers_of_its_row(name: str, ask: Ask) -> None:
    row = ROWS[name]
    with SITES[name]() as site:
        ask(site, name).close()
        [received] = site.requests
    sent = {header: received.headers.get(header) for header in ("authorization", "api-key")}
    expected = {} if row.local else {row.key_header: f"{row.key_prefix}fake-key"}
    assert sent == {"authorization": None, "api-key": None, **expected}
    assert {header: received.headers[header.lower()] for header in row.headers} == row.headers


@pytest.mark.parametrize("name", SERVICES)
def test_usage_is_asked_for_only_where_the_row_allows_it(name: str, ask: Ask) -> None:
    with SITES[name]() as site:
        assert ask(site, name).text == site.text
        [received] = site.requests
    assert (b"stream_options" in received.body) is ROWS[name].stream_options


OPTIONS = {"temperature": 0.5, "top_p": 0.5, "stop": ["."], "response_format": {"type": "text"}}
LIMITING = ("max_tokens", "max_completion_tokens", "seed")


@pytest.mark.parametrize("option", LIMITING)
@pytest.mark.parametrize("name", SERVICES)
def test_an_option_is_sent_by_the_services_own_name(name: str, option: str, ask: Ask) -> None:
    row = ROWS[name]
    if option in row.missing_options:
        assert option not in SERVICES[name].known_options
        return
    with SITES[name]() as site:
        ask(site, name, **OPTIONS, **{option: 7}).close()
        body = site.requests[0].json()
    assert isinstance(body, dict)
    assert body | OPTIONS == body
    assert {field for field, value in body.items() if value == 7} == {row.renamed_options.get(option, option)}


def test_two_options_that_are_one_in_this_service_are_refused(ask: Ask) -> None:
    with SITES["mistral"]() as site, pytest.raises(InvalidArgument, match="'max_completion_tokens' and 'max_tokens'"):
        ask(site, "mistral", max_completion_tokens=7, max_tokens=7)
    assert site.requests == []


def test_extra_body_is_merged_into_the_body(ask: Ask) -> None:
    with SITES["vllm"]() as site:
        ask(site, "vllm", extra_body={"top_k": 5, "stream_options": {"include_usage": False}}).close()
        body = site.requests[0].json()
    assert isinstance(body, dict)
    assert (body["top_k"], body["stream_options"], "extra_body" in body) == (5, {"include_usage": False}, False)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if not row.default_model])
def test_a_service_without_a_default_model_is_not_asked_until_one_is_named(name: str) -> None:
    with SITES[name]() as site:
        settings = {key: value for key, value in site.client_settings().items() if key != "model"}
        with Client(name, settings={name: settings}) as client:
            with pytest.raises(InvalidArgument, match=rf"{name}: has no default model; name one"):
                client.chat("Hi")
            assert site.requests == []
            assert client.chat("Hi", model="fake-model").text == site.text


def test_azures_classic_address_names_the_deployment_and_the_version(ask: Ask) -> None:
    with SITES["azure-classic"]() as site:
        ask(site, "azure-classic", model="my gpt/4").close()
        [received] = site.requests
    assert received.target == "/openai/deployments/my%20gpt%2F4/chat/completions?api-version=2024-10-21"


def test_settings_of_a_service_become_headers(ask: Ask) -> None:
    with OpenAISite() as site:
        settings = {**site.client_settings(), "organization": "org-1"}
        with Client("openai", settings={"openai": settings}) as client:
            client.chat("Hi").close()
        [received] = site.requests
    assert received.headers["openai-organization"] == "org-1"
    assert "openai-project" not in received.headers


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.local])
def test_a_local_server_gets_a_key_only_where_one_is_set(name: str) -> None:
    with SITES[name]() as site:
        settings = {**site.client_settings(), "key": "of-my-server"}
        with Client(name, settings={name: settings}) as client:
            client.chat("Hi").close()
        [received] = site.requests
    assert received.headers["authorization"] == "Bearer of-my-server"


@pytest.mark.parametrize(
    ("name", "url", "base"),
    [
        ("groq", "https://gateway.example", "https://gateway.example/openai/v1"),
        ("groq", "https://gateway.example/", "https://gateway.example/openai/v1"),
        ("groq", "https://gateway.example/v1", "https://gateway.example/v1"),
        ("azure", "https://me.openai.azure.com", "https://me.openai.azure.com/openai/v1"),
        ("azure", "https://me.openai.azure.com/openai/v1/", "https://me.openai.azure.com/openai/v1"),
        ("openai", "http://localhost:8801", "http://localhost:8801"),
    ],
)
def test_a_host_only_gets_the_path_that_the_vendors_own_variable_leaves_out(name: str, url: str, base: str) -> None:
    assert SERVICES[name]({"url": url, "key": "k"}).url == base


WITH_VARIABLE = [name for name, row in ROWS.items() if row.key_variables]


@pytest.mark.parametrize("name", WITH_VARIABLE)
def test_a_vendors_key_is_never_sent_to_another_address(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ROWS[name].key_variables:
        monkeypatch.setenv(variable, "key-of-the-vendor")
    with SITES[name]() as site:
        settings = {key: value for key, value in site.client_settings().items() if key != "key"}
        with Client(name, settings={name: settings}, retries=0) as client:
            if not ROWS[name].local:
                with pytest.raises(MissingSetting, match="'key'"):
                    client.chat("Hi")
                assert (site.requests, site.connections) == ([], 0)
            else:
                client.chat("Hi").close()
                assert "authorization" not in site.requests[0].headers


@pytest.mark.parametrize("name", WITH_VARIABLE)
def test_a_vendors_key_is_used_at_the_vendors_own_address(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row = ROWS[name]
    monkeypatch.setenv(row.key_variables[0], "key-of-the-vendor")
    needed = {setting: extra.sample for setting, extra in row.settings.items() if extra.required}
    url = {} if row.url else {"url": f"https://me{row.hosts[0].removeprefix('*')}"}
    assert SERVICES[name]({**needed, **url}, name=name).settings["key"] == "key-of-the-vendor"


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.url_variables])
def test_the_vendors_own_variable_of_the_address_makes_that_address_the_vendors(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ROWS[name]
    monkeypatch.setenv(row.key_variables[0], "fake-key")
    with SITES[name]() as site:
        monkeypatch.setenv(row.url_variables[0], site.url)
        given = {key: value for key, value in site.client_settings().items() if key not in ("url", "key")}
        with Client(name, settings={name: given}, retries=0) as client:
            assert client.chat("Hi").text == site.text


SCHEMA: dict[str, Callable[[Row], bool]] = {
    "title": lambda row: row.title == row.title.strip() != "",
    "documentation": lambda row: row.documentation.startswith("https://"),
    "source": lambda row: len(row.source) > 3 and "?" not in row.source,
    "url": lambda row: _is_address(row),
    "url_variables": lambda row: all(map(_is_variable, row.url_variables)),
    "url_help": lambda row: "\n" not in row.url_help,
    "hosts": lambda row: not any("/" in host or (host.startswith("*.") and host.count(".") < 2) for host in row.hosts),
    "version_path": lambda row: row.version_path == "" or urlsplit(row.url).path in ("", row.version_path),
    "endpoint": lambda row: row.endpoint.startswith("/") and row.endpoint.endswith("/chat/completions"),
    "key_variables": lambda row: (row.local or bool(row.key_variables)) and all(map(_is_variable, row.key_variables)),
    "key_header": lambda row: row.key_header == row.key_header.lower(),
    "key_prefix": lambda row: row.key_prefix in ("", "Bearer "),
    "local": lambda row: row.local is (urlsplit(row.url).hostname in ("localhost", "127.0.0.1")),
    "headers": lambda row: all(isinstance(value, str) for value in row.headers.values()),
    "settings": lambda row: all(bool(one.header) != bool(one.query) and one.help for one in row.settings.values()),
    "default_model": lambda row: row.default_model == row.default_model.strip(),
    "models_endpoint": lambda row: "://" not in row.models_endpoint,
    "models_list": lambda row: row.models_list in ("data", "bare"),
    "models_prefix": lambda row: row.models_prefix == "" or row.models_prefix.endswith("/"),
    "stream_options": lambda row: isinstance(row.stream_options, bool),
    "renamed_options": lambda row: set(row.renamed_options) <= set(OpenAICompatible.known_options),
    "missing_options": lambda row: set(row.missing_options) <= set(OpenAICompatible.known_options) - {"extra_body"},
    "refuses_unknown_fields": lambda row: isinstance(row.refuses_unknown_fields, bool),
    "lists_errors": lambda row: isinstance(row.lists_errors, bool),
    "first_token": lambda row: row.first_token == 0 or 60 < row.first_token <= 600,
}
"""Field → whether its value is sound. Types are also the classes' own: mypy checks all that is made of a row."""


def _is_variable(name: str) -> bool:
    return name.isidentifier() and name.isupper()


def _is_address(row: Row) -> bool:
    parts = urlsplit(row.url)
    if row.local:
        return parts.scheme == "http" and parts.port is not None
    return not row.url or (parts.scheme == "https" and parts.port is None and not row.url.endswith("/"))


@pytest.mark.parametrize("row", ROWS.values(), ids=list(ROWS))
def test_every_value_of_a_row_is_sound(row: Row) -> None:
    assert [field for field, is_sound in SCHEMA.items() if not is_sound(row)] == []
    hints = get_type_hints(Row)
    assert [name for name, hint in hints.items() if not isinstance(getattr(row, name), get_origin(hint) or hint)] == []


def test_the_schema_has_every_field() -> None:
    assert list(SCHEMA) == list(Row._fields)
