"""The public face as type checkers see it. Not executed: mypy reads it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, assert_type

from providers_sdk import (
    AllProvidersFailed,
    Attempt,
    Chunk,
    Client,
    Conversation,
    FinishReason,
    Image,
    InvalidCall,
    Limits,
    Message,
    PluginReport,
    ProviderError,
    Reasoning,
    Registry,
    Reply,
    RunReply,
    ServedModel,
    TimeLimitExceeded,
    ToolCall,
    ToolResult,
    Usage,
    __version__,
    chat,
)
from providers_sdk.errors import TokensNotFound
from providers_sdk.plugin import (
    Event,
    Http,
    HttpResponse,
    Page,
    Provider,
    Request,
    Setting,
    format_prompt,
    hookimpl,
    iter_events,
)

assert_type(__version__, str)


def a_script() -> None:
    for text in chat("Name three pizzas", provider="chatgptfree"):
        assert_type(text, str)
    assert_type(chat("Name three pizzas").text, str)


def a_client() -> None:
    with Client(provider=["openai", "chatgptfree"], deadline=60, retries=2, proxy=None, idle=None) as client:
        assert_type(client, Client)
        reply = client.chat(
            [{"role": "system", "content": "Be brief."}, Message("user", "Hi")], model="gpt-4o-mini", temperature=0.2
        )
        assert_type(reply, Reply)
        assert_type(reply.provider, str)
        assert_type(reply.model, str | None)
        assert_type(reply.finish_reason, str | None)
        assert_type(reply.usage, Usage | None)
        assert_type(reply.attempts, tuple[Attempt, ...])
        assert_type(reply.partial, str)
        assert_type(iter(reply), Iterator[str])
        assert_type(reply.chunks(), Iterator[Chunk])
        assert_type(reply.close(), None)
        assert_type(client.conversation(system="Be brief."), Conversation)
        assert_type(client.conversation().chat("Hi"), Reply)
        talk = client.conversation(history=[Message("user", "Hi")], max_messages=9, max_chars=99, keep_partial=True)
        assert_type(talk.history, tuple[Message, ...])
        assert_type(talk.system, str | None)
        assert_type(talk.retry(temperature=0.2), Reply)
        assert_type(talk.save("talk.json"), None)
        assert_type(talk.load("talk.json"), Conversation)
        assert_type(client.registry, Registry)


def get_menu(day: str) -> list[str]:
    """Return the menu of a day."""
    return [day]


def tools_and_schemas(client: Client) -> None:
    reply = client.chat("Hi", tools=[get_menu, {"name": "get_price"}], schema={"type": "object"}, schema_retries=1)
    assert_type(reply.tool_calls, tuple[ToolCall, ...])
    assert_type(reply.message, Message)
    run = client.run([Message("user", ("What is it?", Image(b"...")))], tools=[get_menu], max_rounds=2)
    assert_type(run, RunReply)
    assert_type(run.tool_results, tuple[ToolResult, ...])
    assert_type(run.messages, tuple[Message, ...])
    client.run("Hi", tools=["get_menu"])  # type: ignore[list-item]


def messages_of_every_kind(given: Sequence[Mapping[str, Any]], ready: tuple[Message, ...]) -> None:
    for messages in ("Hi", given, ready, [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]):
        chat(messages)
    chat(7)  # type: ignore[arg-type]
    chat(b"Hi")  # type: ignore[arg-type]
    chat("Hi", "echo")  # type: ignore[call-arg]
    Client(deadline="60")  # type: ignore[arg-type]
    Client(settings={"echo": "url"})  # type: ignore[dict-item]
    assert_type(format_prompt(ready), str)


def chunks_can_be_told_apart(chunk: Chunk) -> None:
    if isinstance(chunk, str):
        assert_type(chunk, str)
    elif isinstance(chunk, Reasoning):
        assert_type(chunk.text, str)
    elif isinstance(chunk, Usage):
        assert_type(chunk.total_tokens, int | None)
    elif isinstance(chunk, ToolCall):
        assert_type(chunk.arguments, Mapping[str, Any])
    elif isinstance(chunk, ServedModel):
        assert_type(chunk.name, str)
    else:
        assert_type(chunk, FinishReason)
        assert_type(chunk.reason, str | None)


def values_cannot_be_changed(message: Message, usage: Usage, attempt: Attempt, limits: Limits) -> None:
    message.content = "other"  # type: ignore[misc]
    usage.prompt_tokens = 0  # type: ignore[misc]
    attempt.outcome = "answered"  # type: ignore[misc]
    limits.idle = 1.0  # type: ignore[misc]


def an_error(error: ProviderError) -> None:
    assert_type(error.provider, str | None)
    assert_type(error.model, str | None)
    assert_type(error.url, str | None)
    assert_type(error.status, int | None)
    assert_type(error.retry_after, float | None)
    assert_type(error.partial, str)
    assert_type(error.attempts, tuple[Attempt, ...])
    if isinstance(error, TimeLimitExceeded):
        assert_type(error.limit, str)
        assert_type(error.seconds, float | None)
        _timeout: TimeoutError = error
    if isinstance(error, TokensNotFound):
        _runtime: RuntimeError = error
    if isinstance(error, (InvalidCall, AllProvidersFailed)):
        _root: ProviderError = error


class Acme(Provider):
    """A provider as an author writes it."""

    url = "https://acme.example"
    working = False
    default_model = "small"
    models = ("small",)
    known_settings = {"tone": Setting(default="polite")}

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask."""
        assert_type(request.prompt, str)
        assert_type(request.messages, tuple[Message, ...])
        answer = http.post("/ask", json={"question": request.prompt})
        assert_type(answer, HttpResponse)
        assert_type(answer.status, int)
        assert_type(answer.events(), Iterator[Event])
        assert_type(http.page("/"), Page)
        yield answer.text()
        yield Usage(1, 2)
        yield FinishReason("stop")


@hookimpl
def register_providers(register: Any) -> None:
    """Register ``acme``."""
    register("acme", Acme)


def the_direct_door(provider: Provider) -> None:
    assert_type(provider.create_completion("small", "Hi", proxy=None), Iterator[Chunk])
    assert_type(provider.get_model("small"), str)
    assert_type(iter_events([b""]), Iterator[Event])


def a_registry(registry: Registry) -> None:
    registry.register("acme", Acme)
    registry.register("acme", dict)  # type: ignore[arg-type]
    assert_type(registry.names(), list[str])
    assert_type(registry.report(load=True), list[PluginReport])
    assert_type(registry.get("acme"), type[Provider])
