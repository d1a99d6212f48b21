"""Ollama's own API, as the vendor's package of today has it."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from providers_sdk import (
    Client,
    FinishReason,
    Image,
    Message,
    ProviderError,
    RateLimited,
    Reasoning,
    Refused,
    Reply,
    ServedModel,
    StreamTruncated,
    ToolCall,
    Usage,
)
from providers_sdk._model.messages import parse_messages
from providers_sdk._model.tools import parse_tools
from providers_sdk._protocol.ndjson import iter_ndjson
from providers_sdk.errors import (
    AuthenticationFailed,
    EmptyAnswer,
    HTTPStatusError,
    InvalidAnswer,
    InvalidArgument,
    UnsupportedOption,
)
from providers_sdk.plugin import Request
from providers_sdk.testing import Received, Response, json_response
from providers_sdk_plugins._ollama_address import make_address
from providers_sdk_plugins._ollama_answer import iter_lines
from providers_sdk_plugins._ollama_request import make_body
from providers_sdk_plugins.fakes.ollama import OllamaSite
from providers_sdk_plugins.ollama import Ollama

SAYS = ("Margherita, ", "Funghi ", "and ", "Diavola.")
SERVED, USED = ServedModel("qwen3"), Usage(21, 42)
END = (USED, FinishReason("stop"))
FITS, MISFITS = '{"pizzas": ["Margherita", "Funghi", "Diavola"]}', '{"pizzas": ["Margherita", 7]}'
MENU, PRICE = ToolCall("", "get_menu", {"day": "friday"}), ToolCall("", "get_price", {"pizza": "Funghi"})
STREAMED: dict[str, tuple[Any, ...]] = {
    "": (*SAYS, *END),
    "thinking": (Reasoning("Pizza..."), *SAYS, *END),
    "length": (*SAYS, USED, FinishReason("length")),
    "after_done": (*SAYS, *END),
    "unknown": (*SAYS, *END),
    "no_reason": (*SAYS, USED, FinishReason(None)),
    "cached": (*SAYS, Usage(None, 42), FinishReason("stop")),
    "plain": (*SAYS, *END),
    "tools": (ToolCall("", "get_menu", {}), *END),
    "two_tools": (MENU, PRICE, *END),
    "named_tools": (
        ToolCall("call_1", "get_menu", {"day": "friday"}),
        ToolCall("call_2", "get_price", {"pizza": "Funghi"}),
        *END,
    ),
    "schema": (FITS[:9], FITS[9:], *END),
    "misfit": (MISFITS[:9], MISFITS[9:], *END),
}
REFUSALS: dict[str, tuple[type[ProviderError], int | None, float | None, str, str]] = {
    # case: class, status, retry_after, words, text that had come
    "error_midway": (Refused, 200, None, "the service says: the model broke off", SAYS[0]),
    "error_first": (HTTPStatusError, 503, None, "the service says: the server is busy", ""),
    "cut": (StreamTruncated, 200, None, "cut off", "".join(SAYS)),
    "torn": (StreamTruncated, 200, None, "breaks off within a line", "".join(SAYS)),
    "key": (AuthenticationFailed, 401, None, "unauthorized", ""),
    "spent": (EmptyAnswer, 200, None, "raise max_tokens", ""),
    "load": (EmptyAnswer, 200, None, "(load) and holds no text", ""),
    "limit": (RateLimited, 429, 7.0, "too many requests", ""),
    "crashed": (HTTPStatusError, 500, None, "model runner has unexpectedly stopped", ""),
}


def test_the_tables_cover_every_case_of_the_fake() -> None:
    assert {*STREAMED, *REFUSALS} == {"", *OllamaSite.cases}


@pytest.mark.parametrize("case", STREAMED)
def test_a_stream_comes_as_its_chunks(case: str, ask: Callable[..., Reply]) -> None:
    with OllamaSite(case) as site:
        assert tuple(ask(site, "ollama").chunks()) == (SERVED, *STREAMED[case])


@pytest.mark.parametrize("case", STREAMED)
def test_a_whole_answer_comes_as_its_chunks(case: str, ask: Callable[..., Reply]) -> None:
    with OllamaSite(case) as site:
        chunks = list(ask(site, "ollama", stream=False).chunks())
    text = "".join(chunk for chunk in STREAMED[case] if isinstance(chunk, str))
    thinking = [chunk for chunk in STREAMED[case] if isinstance(chunk, Reasoning)]
    others = [chunk for chunk in STREAMED[case] if not isinstance(chunk, (str, Reasoning))]
    assert chunks == [SERVED, *thinking, *([text] if text else []), *others]


@pytest.mark.parametrize(("case", "expected"), REFUSALS.items())
def test_what_is_no_answer_is_an_error(
    case: str,
    expected: tuple[type[ProviderError], int | None, float | None, str, str],
    outcome: Callable[..., str | ProviderError],
) -> None:
    kind, status, retry_after, words, partial = expected
    with OllamaSite(case) as site:
        error = outcome(site, "ollama")
    assert isinstance(error, ProviderError)
    assert type(error) is kind
    assert words in error.message
    assert (error.status, error.retry_after, error.partial) == (status, retry_after, partial)


def test_an_error_with_its_status_is_tried_again_while_nothing_was_delivered() -> None:
    with OllamaSite("error_first") as site:
        with Client("ollama", retries=1, settings={"ollama": site.client_settings()}) as client:
            with pytest.raises(HTTPStatusError, match="all 1 retries are used up"):
                client.chat("Hi")
        assert len(site.requests) == 2


def test_a_model_that_is_not_there_says_how_to_get_it(ask: Callable[..., Reply]) -> None:
    with OllamaSite() as site, pytest.raises(HTTPStatusError, match="'llama9' not found; pull it with 'ollama pull ll"):
        ask(site, "ollama", model="llama9")


def test_another_server_at_the_address_is_named(ask: Callable[..., Reply]) -> None:
    class Other(OllamaSite):
        def respond(self, received: Received) -> Response:
            return Response(404, {"Content-Type": "text/plain"}, b"404 page not found", "length")

    with Other() as site, pytest.raises(HTTPStatusError, match=f"the address asked was {site.url}/api/chat"):
        ask(site, "ollama")


# what is read, without a server

LINES = b"".join(
    line + b"\n"
    for line in (
        b'{"model":"m","message":{"role":"assistant","content":"","thinking":"K\xc3\xa4se?"},"done":false}',
        b'{"model":"m","message":{"content":"K\xc3\xa4se \xf0\x9f\x8d\x95"},"done":false}',
        b'{"model":"m","message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":[1]}}}]}}',
        b'{"model":"m","message":{"content":"\\u00e9"},"done":true,"done_reason":"stop","eval_count":2}',
    )
)
CHUNKS = [
    ServedModel("m"),
    Reasoning("Käse?"),
    "Käse 🍕",
    "",
    "é",
    ToolCall("", "f", {"a": [1]}),
    Usage(None, 2),
    FinishReason("stop"),
]


def test_lines_may_be_cut_anywhere() -> None:
    for at in range(len(LINES)):
        assert list(iter_lines(iter_ndjson([LINES[:at], LINES[at:]]))) == CHUNKS
    assert list(iter_lines(iter_ndjson([LINES[at : at + 1] for at in range(len(LINES))]))) == CHUNKS


def test_lines_that_end_anywhere_before_the_last_one_have_no_finish() -> None:
    last = LINES.rindex(b"{")
    for at in range(LINES.rindex(b'{"model"', 0, last)):
        chunks: list[object] = []
        with contextlib.suppress(StreamTruncated):
            chunks.extend(iter_lines(iter_ndjson([LINES[:at]])))
        assert not any(isinstance(chunk, FinishReason) for chunk in chunks)


@pytest.mark.parametrize(
    "line",
    [
        [],
        "text",
        {"message": "text"},
        {"message": {"content": 7}},
        {"message": {"content": ["text"]}},
        {"message": {"thinking": 7}},
        {"message": {"tool_calls": {"a": 1}}},
        {"message": {"tool_calls": ["f"]}},
        {"message": {"tool_calls": [{"function": {"name": "f", "arguments": [1]}}]}},
        {"model": 7},
        {"done": True, "done_reason": 7},
    ],
)
def test_a_line_of_another_form_is_an_invalid_answer(line: object) -> None:
    with pytest.raises(InvalidAnswer):
        list(iter_lines([line]))


@pytest.mark.parametrize(
    ("line", "expected", "status", "words"),
    [
        ({"error": "no"}, Refused, None, "the service says: no"),
        ({"error": {"message": "no"}}, Refused, None, "the service says: no"),
        ({"error": "no", "status": 429}, RateLimited, 429, "the service says: no"),
        ({"error": "no", "status": 401}, AuthenticationFailed, 401, "the service says: no"),
        ({"error": "no", "status_code": 502}, HTTPStatusError, 502, "the service says: no"),
        ({"error": "no", "status": 200}, Refused, None, "the service says: no"),
    ],
)
def test_an_error_is_told_with_its_status(
    line: object, expected: type[ProviderError], status: int | None, words: str
) -> None:
    with pytest.raises(expected) as raised:
        list(iter_lines([line]))
    assert (type(raised.value), raised.value.status, raised.value.message) == (expected, status, words)


# what is sent


def body_of(messages: Any = "Hi", **fields: Any) -> dict[str, Any]:
    return make_body(Request(parse_messages(messages), "m", **fields))


def test_the_request_is_the_protocols(ask: Callable[..., Reply]) -> None:
    with OllamaSite() as site:
        ask(site, "ollama", "Hi", model="gemma3:4b").close()
        [received] = site.requests
    assert (received.method, received.target) == ("POST", "/api/chat")
    assert "authorization" not in received.headers
    assert received.json() == {
        "model": "gemma3:4b",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
    }


def test_a_whole_answer_is_asked_for_in_words_because_streaming_is_usual() -> None:
    assert body_of(stream=False)["stream"] is False


OPTIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "temperature": ({"temperature": 0.2, "top_k": 3}, {"options": {"temperature": 0.2, "top_k": 3}}),
    "max_tokens": ({"max_tokens": 7}, {"options": {"num_predict": 7}}),
    "max_completion_tokens": ({"max_completion_tokens": 7}, {"options": {"num_predict": 7}}),
    "one stop": ({"stop": "."}, {"options": {"stop": ["."]}}),
    "effort": ({"reasoning_effort": "low"}, {"think": "low"}),
    "think": ({"think": False, "keep_alive": "5m"}, {"think": False, "keep_alive": "5m"}),
    "extra": (
        {"seed": 7, "extra_body": {"logprobs": True, "options": {"num_gpu": 1}}},
        {"logprobs": True, "options": {"seed": 7, "num_gpu": 1}},
    ),
}


@pytest.mark.parametrize(("given", "sent"), OPTIONS.values(), ids=list(OPTIONS))
def test_an_option_is_sent_by_the_apis_own_name(given: dict[str, Any], sent: dict[str, Any]) -> None:
    assert body_of(options=given) == {**body_of(), **sent}
    assert given.get("extra_body", {}) in ({}, {"logprobs": True, "options": {"num_gpu": 1}})


def test_two_options_that_are_one_here_are_refused() -> None:
    with pytest.raises(InvalidArgument, match="'reasoning_effort' and 'think' are one option"):
        body_of(options={"reasoning_effort": "low", "think": True})


def test_images_are_sent_as_bytes_and_by_no_address() -> None:
    [message] = body_of([Message("user", ("What?", Image(b"\x89PNG\r\n\x1a\n")))])["messages"]
    assert message == {"role": "user", "content": "What?", "images": ["iVBORw0KGgo="]}
    with pytest.raises(UnsupportedOption, match="download it"):
        body_of([Message("user", ("What?", Image("https://example.org/a.png")))])


def test_tools_and_a_schema_are_sent_as_they_are() -> None:
    schema = {"type": "object", "properties": {"day": {"type": "string"}}}
    tools = parse_tools([{"name": "get_menu", "description": "The menu.", "parameters": schema, "strict": True}])
    body = body_of(tools=tools, schema=schema)
    function = {"name": "get_menu", "description": "The menu.", "parameters": schema}
    assert (body["tools"], body["format"]) == ([{"type": "function", "function": function}], schema)


@pytest.mark.parametrize("ids", [("", ""), ("a", "b")])
def test_a_result_names_its_tool(ids: tuple[str, str]) -> None:
    calls = tuple(ToolCall(id_, name, {"n": 1}) for id_, name in zip(ids, ("get_menu", "get_price"), strict=True))
    results = [{"role": "tool", "tool_call_id": id_, "content": f"result {id_}"} for id_ in ids]
    _, asked, *told = body_of([{"role": "user", "content": "Hi"}, Message("assistant", "", calls), *results])[
        "messages"
    ]
    assert [call["function"] for call in asked["tool_calls"]] == [
        {"name": "get_menu", "arguments": {"n": 1}},
        {"name": "get_price", "arguments": {"n": 1}},
    ]
    assert [(one["role"], one["tool_name"], one.get("tool_call_id", "")) for one in told] == [
        ("tool", "get_menu", ids[0]),
        ("tool", "get_price", ids[1]),
    ]


def get_menu(day: str) -> str:
    """Return the menu."""
    return f"Funghi on {day}"


def get_price(pizza: str) -> float:
    """Return a price."""
    raise LookupError(f"no price for {pizza}")


@pytest.mark.parametrize("case", ["two_tools", "named_tools"])
def test_tools_are_run_until_there_is_an_answer(case: str) -> None:
    with OllamaSite(case) as site, Client("ollama", settings={"ollama": site.client_settings()}) as client:
        assert client.run("What is on?", tools=[get_menu, get_price]).text == site.text
        sent = site.requests[1].json()
    assert isinstance(sent, dict)
    assert [(one["tool_name"], one["content"]) for one in sent["messages"][-2:]] == [
        ("get_menu", "Funghi on friday"),
        ("get_price", "error: LookupError: no price for Funghi"),
    ]


def test_a_structured_answer_is_asked_for_and_asked_for_once_more() -> None:
    schema = {"type": "object", "properties": {"pizzas": {"type": "array", "items": {"type": "string"}}}}
    with OllamaSite("misfit") as site, Client("ollama", settings={"ollama": site.client_settings()}) as client:
        reply = client.chat("Name three pizzas", schema=schema, schema_retries=1)
        assert reply.data == {"pizzas": ["Margherita", "Funghi", "Diavola"]}


# settings and models


def test_the_models_are_those_that_the_server_has() -> None:
    with OllamaSite() as site, Client("ollama", settings={"ollama": site.client_settings()}) as client:
        assert tuple(client.list_models("ollama")) == ("qwen3", "gemma3:4b")
        assert site.requests[0].target == "/api/tags"


@pytest.mark.parametrize("body", [{"models": {}}, {"data": []}, [], {"models": [{}]}, {"models": ["qwen3"]}])
def test_what_is_no_list_of_models_is_an_error(body: object) -> None:
    class Other(OllamaSite):
        def respond(self, received: Received) -> Response:
            return json_response(body)

    with Other() as site, Client("ollama", settings={"ollama": site.client_settings()}) as client:
        with pytest.raises(InvalidAnswer, match="no list of models"):
            client.list_models("ollama")


def test_a_key_is_sent_where_one_is_set() -> None:
    with OllamaSite("key") as site:
        with Client("ollama", settings={"ollama": {**site.client_settings(), "key": "fake-key"}}) as client:
            assert client.chat("Hi").text == site.text


def test_the_key_of_the_vendors_cloud_is_sent_to_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "key-of-the-cloud")
    with OllamaSite() as site:
        monkeypatch.setenv("OLLAMA_HOST", site.url)
        with Client("ollama") as client:
            assert client.chat("Hi").text == site.text
        assert "authorization" not in site.requests[0].headers


def test_the_connection_serves_the_next_question() -> None:
    with OllamaSite() as site, Client("ollama", settings={"ollama": site.client_settings()}) as client:
        for _ in range(3):
            assert client.chat("Hi").text == site.text
        assert site.connections == 1


@pytest.mark.parametrize("path", ["/v1", "/api", "/api/chat", "/v1/chat/completions"])
def test_an_address_with_a_path_of_the_api_is_refused(path: str) -> None:
    with pytest.raises(InvalidArgument, match=f"ends with {path}; give the server's address without it"):
        Ollama({"url": f"http://localhost:11434{path}"}, name="ollama")


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("box", "http://box:11434"),
        (" box/ ", "http://box:11434"),
        ("box:80/ollama/", "http://box:80/ollama"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("http://0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("[fe80::1]", "http://[fe80::1]:11434"),
        ("https://ollama.example", "https://ollama.example"),
        ("http://ollama.example", "http://ollama.example"),
        ("https://user:word@ollama.example:8443", "https://user:word@ollama.example:8443"),
        ("box:port", "box:port"),
        ("[::1", "[::1"),
    ],
)
def test_a_host_is_read_as_the_vendors_own_programs_read_it(host: str, address: str) -> None:
    assert make_address(host) == address


def test_the_vendors_variable_may_be_a_host_and_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with OllamaSite() as site:
        monkeypatch.setenv("OLLAMA_HOST", site.url.removeprefix("http://"))
        with Client("ollama") as client:
            assert client.chat("Hi").text == site.text


def test_a_variable_that_is_no_host_is_refused_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "box:port")
    with Client("ollama") as client, pytest.raises(InvalidArgument, match=r"'url' \(OLLAMA_HOST\) must be an address"):
        client.chat("Hi")
