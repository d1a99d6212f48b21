"""``Client.run``: calls the tools that a model asks for, and asks again with their results, until there is an answer.

Each round is one question. All rounds are one call: they share its deadline, and ``reply.attempts`` has those of all. A
tool runs in the caller's thread, one after another; it cannot be interrupted, but its time counts for the deadline.

What goes wrong in a tool is told to the model, which may do better in the next round: an unknown name, arguments that
do not fit, an exception. What goes wrong outside ends the run, with the turns so far in the error's ``messages``: they
begin where the caller began and end with the last results, so ``client.run(error.messages, ...)`` goes on from there.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from providers_sdk._engine.functions import Functions, FunctionTool, make_function_tools
from providers_sdk._engine.reply import Reply
from providers_sdk._engine.structured import check_schema_retries, repeat_until_valid
from providers_sdk._model.chunks import ToolCall
from providers_sdk._model.messages import MAX_CHARACTERS, Message, Messages, parse_messages
from providers_sdk._protocol.validation import replace_lone_surrogates
from providers_sdk._redact import snippet
from providers_sdk.errors import InvalidArgument, ProviderError, TooManyRounds

__all__ = ["RunReply", "ToolResult", "start_run"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """The result of one tool call.

    :param call: the call.
    :param text: what the model was told.
    :param error: what the tool raised, or why it was not called; ``None`` where it returned.
    """

    call: ToolCall
    text: str
    error: Exception | None = None


class RunReply(Reply):
    """The answer of a run, read to its end before it is returned; it can be read as any other reply.

    :param last: the reply of the last round.
    :param results: of all rounds.
    """

    def __init__(self, last: Reply, results: Sequence[ToolResult]) -> None:
        super().__init__(last._run, last._runner, last._kept)
        self._results = tuple(results)

    @property
    def tool_results(self) -> tuple[ToolResult, ...]:
        """The result of each tool call, oldest first."""
        return self._results

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation, the answer included: with a further question it is the next run's."""
        return (*self.question, self.message)


def start_run(
    chat: Callable[..., Reply],
    messages: Messages,
    *,
    tools: Functions,
    max_rounds: int,
    arguments: Mapping[str, Any],
) -> RunReply:
    """Return the answer after as many rounds as it takes.

    :param chat: asks, as ``Client.chat`` does.
    :param max_rounds: how many questions are asked at the most.
    :param arguments: for ``chat``.
    :raises TooManyRounds: the last round asks for tools again.
    :raises ProviderError: a round failed; ``messages`` holds the turns so far.
    """
    parsed, functions = parse_messages(messages), make_function_tools(tools)
    retries = check_schema_retries(arguments.get("schema_retries", 0), arguments.get("schema"))
    rest = {name: value for name, value in arguments.items() if name != "schema_retries"}
    rounds = _check_rounds(max_rounds)
    return _run(lambda: chat(parsed, tools=tools, **rest), parsed, functions, rounds, retries)


def _check_rounds(max_rounds: object) -> int:
    if isinstance(max_rounds, int) and not isinstance(max_rounds, bool) and max_rounds > 0:
        return max_rounds
    raise InvalidArgument(f"max_rounds must be a whole number from 1, not {max_rounds!r:.40}")


def _run(
    ask: Callable[[], Reply],
    messages: tuple[Message, ...],
    tools: Mapping[str, FunctionTool],
    max_rounds: int,
    retries: int,
) -> RunReply:
    results: list[ToolResult] = []
    try:
        reply = ask()
        for _ in range(max_rounds - 1):
            if not reply.tool_calls:
                break
            answers = [_call(call, tools) for call in reply.tool_calls]
            results += answers
            turns = [Message("tool", answer.text, tool_call_id=answer.call.id) for answer in answers]
            messages = (*messages, reply.message, *turns)
            reply = reply.ask_again(messages)
        if reply.tool_calls:
            raise _make_error(reply, max_rounds)
        return RunReply(repeat_until_valid(reply, retries), results)
    except ProviderError as error:
        error.messages = messages
        raise


def _make_error(reply: Reply, max_rounds: int) -> ProviderError:
    names = snippet(", ".join(call.name for call in reply.tool_calls), 200)
    rounds = f"{max_rounds} round{'s' * (max_rounds > 1)}"
    error = TooManyRounds(
        f"after {rounds} the model still asks for tools ({names}) and gives no answer; raise max_rounds, or go on from "
        "the error's messages",
        finish_reason=reply.finish_reason,
        usage=reply.usage,
        attempts=reply.attempts,
    )
    return reply._run.complete_error(error)


def _call(call: ToolCall, tools: Mapping[str, FunctionTool]) -> ToolResult:
    """Return the result of a call; whatever the tool raises is one."""
    if call.name not in tools:
        sentence = f"there is no tool {snippet(call.name, 80)!r}; there are {', '.join(tools)}"
        return ToolResult(call, f"error: {sentence}", LookupError(sentence))
    try:
        text = tools[call.name].call(call)
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"the result has {len(text)} characters; at most {MAX_CHARACTERS} can be sent")
    except Exception as error:  # noqa: BLE001  a tool may raise anything; the model is told, and the reply keeps it
        return ToolResult(call, _clean(f"error: {type(error).__name__}: {snippet(_read(error), 1_000)}"), error)
    return ToolResult(call, _clean(text))


def _read(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  a foreign error may be unprintable
        return "(its text cannot be read)"


def _clean(text: str) -> str:
    """Return ``text`` as it can be sent."""
    return replace_lone_surrogates(text.replace("\0", "\ufffd"))


for _public in (RunReply, ToolResult):
    _public.__module__ = "providers_sdk"
