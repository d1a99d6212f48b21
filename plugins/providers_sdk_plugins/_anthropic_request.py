"""Writes a question as Anthropic's Messages API has it. Pure.

After the parameters of ``POST /v1/messages`` in anthropic 2.14.0 (types/message_create_params.py) and
https://platform.claude.com/docs/en/api/migration-2026-10-21.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from providers_sdk.plugin import File, Image, Message, Option, Request, UnsupportedOption
from providers_sdk_plugins._anthropic_schema import adapt_schema
from providers_sdk_plugins._options import rename_options

__all__ = ["MAX_TOKENS", "OPTIONS", "SAMPLING", "make_body"]

MAX_TOKENS = 8192
"""What is sent as ``max_tokens``, which the API requires, where the call gives no such option."""
SAMPLING = ("temperature", "top_p", "top_k")
"""Options that the API refuses since its version 2026-10-21."""
OPTIONS: Mapping[str, Option] = {
    "max_tokens": Option(int, 100),
    "max_completion_tokens": Option(int, 100),
    "stop": Option((str, list, tuple), [";"]),
    "temperature": Option(float, 0.25),
    "top_p": Option(float, 0.5),
    "top_k": Option(int, 40),
    "thinking": Option(dict, {"type": "adaptive"}),
    "reasoning_effort": Option(str, "low"),
    "tool_choice": Option((str, dict), "auto"),
    "parallel_tool_calls": Option(bool, False),
    "user": Option(str, "user-1"),
    "extra_body": Option(Mapping, {"service_tier": "auto"}),
}
_NAMES = {"max_completion_tokens": "max_tokens", "stop": "stop_sequences"}
_SYSTEM = ("system", "developer")
_CHOICES = {"auto": "auto", "none": "none", "required": "any"}


def make_body(request: Request) -> dict[str, Any]:
    """Return the body of a request.

    :raises UnsupportedOption: a file or a schema that the service does not take.
    :raises InvalidArgument: two options that are one here.
    """
    system, turns = _split_system(request.messages)
    return {
        "model": request.model,
        "max_tokens": MAX_TOKENS,
        **({"system": system} if system else {}),
        "messages": list(_write_turns(turns)),
        **({"tools": [_write_tool(tool) for tool in request.tools]} if request.tools else {}),
        **_write_options(request),
        **({"stream": True} if request.stream else {}),
        **request.options.get("extra_body", {}),
    }


def _split_system(messages: Sequence[Message]) -> tuple[Any, Sequence[Message]]:
    """Return what stands in ``system``, and the turns: only system messages before the first turn stand apart."""
    count = next((i for i, message in enumerate(messages) if message.role not in _SYSTEM), len(messages))
    first = messages[:count]
    if len(first) == 1 and isinstance(first[0].content, str):
        return first[0].content, messages[count:]
    return [block for message in first for block in _write_parts(message)], messages[count:]


def _write_turns(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """Yield the turns; the results of tools that were asked for together are one turn of the user."""
    for is_result, group in groupby(messages, key=lambda message: message.role == "tool"):
        if is_result:
            yield {"role": "user", "content": [_write_result(message) for message in group]}
        else:
            yield from map(_write_turn, group)


def _write_turn(message: Message) -> dict[str, Any]:
    role = "system" if message.role in _SYSTEM else message.role
    if isinstance(message.content, str) and not message.tool_calls:
        return {"role": role, "content": message.content}
    calls = [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": dict(call.arguments)}
        for call in message.tool_calls
    ]
    return {"role": role, "content": [*_write_parts(message), *calls]}


def _write_result(message: Message) -> dict[str, Any]:
    content = message.content if isinstance(message.content, str) else _write_parts(message)
    return {"type": "tool_result", "tool_use_id": message.tool_call_id, "content": content}


def _write_parts(message: Message) -> list[dict[str, Any]]:
    return [_write_part(part) for part in message.parts]


def _write_part(part: str | Image | File) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Image):
        return {"type": "image", "source": _write_address(part) or _write_bytes(part)}
    title = {"title": part.name} if part.name else {}
    return {"type": "document", "source": _write_file(part), **title}


def _write_file(file: File) -> dict[str, Any]:
    if file.id:
        return {"type": "file", "file_id": file.id}
    if file.url or file.media_type == "application/pdf":
        return _write_address(file) or _write_bytes(file)
    if not file.media_type.startswith("text/"):
        raise UnsupportedOption(
            f"takes PDF and text as files, not {file.media_type}; put its text into the message, "
            "or ask another provider"
        )
    return {"type": "text", "media_type": "text/plain", "data": file.data.decode("utf-8", "replace")}


def _write_address(part: Image | File) -> dict[str, Any] | None:
    return {"type": "url", "url": part.url} if part.url else None


def _write_bytes(part: Image | File) -> dict[str, Any]:
    return {"type": "base64", "media_type": part.media_type, "data": part.base64}


def _write_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    described = {"description": tool["description"]} if tool["description"] else {}
    strict = {"strict": tool["strict"]} if "strict" in tool else {}
    return {"name": tool["name"], **described, "input_schema": tool["parameters"], **strict}


def _write_options(request: Request) -> dict[str, Any]:
    """Return the options by the API's names, and the form of the answer."""
    options = rename_options(request.options, _NAMES)
    stop = options.get("stop_sequences")
    if isinstance(stop, str):
        options["stop_sequences"] = [stop]
    user, effort = options.pop("user", None), options.pop("reasoning_effort", None)
    choice = _write_choice(options.pop("tool_choice", None), options.pop("parallel_tool_calls", None))
    form = {"format": {"type": "json_schema", "schema": adapt_schema(request.schema)}} if request.schema else {}
    output = {**form, **({} if effort is None else {"effort": effort})}
    return {
        **options,
        **({} if user is None else {"metadata": {"user_id": user}}),
        **({} if choice is None else {"tool_choice": choice}),
        **({"output_config": output} if output else {}),
    }


def _write_choice(choice: Any, parallel: Any) -> Any:
    """Return ``tool_choice``: OpenAI's words and forms in Anthropic's form, and Anthropic's own as they are."""
    if isinstance(choice, str):
        choice = {"type": _CHOICES.get(choice, choice)}
    elif isinstance(choice, Mapping) and isinstance(choice.get("function"), Mapping):
        choice = {"type": "tool", "name": choice["function"].get("name")}
    if parallel is None:
        return choice
    chosen = choice if isinstance(choice, Mapping) else {"type": "auto"}
    return {**chosen, "disable_parallel_tool_use": not parallel}
