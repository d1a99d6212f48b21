"""Writes a question as Ollama's own API has it. Pure.

After ``POST /api/chat`` in ollama 0.6.3 (_types.py: ChatRequest, Message, Options) and https://docs.ollama.com/api/chat.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from providers_sdk.plugin import Image, Message, Option, Request, ToolCall, UnsupportedOption
from providers_sdk_plugins._options import rename_options

__all__ = ["OPTIONS", "make_body"]

OPTIONS: Mapping[str, Option] = {
    "temperature": Option(float, 0.25),
    "top_p": Option(float, 0.5),
    "top_k": Option(int, 40),
    "max_tokens": Option(int, 100),
    "max_completion_tokens": Option(int, 100),
    "stop": Option((str, list, tuple), [";"]),
    "seed": Option(int, 7),
    "presence_penalty": Option(float, 0.5),
    "frequency_penalty": Option(float, 0.5),
    "num_ctx": Option(int, 8192),
    "reasoning_effort": Option(str, "low"),
    "think": Option((bool, str), True),
    "keep_alive": Option((str, float), "5m"),
    "extra_body": Option(Mapping, {"logprobs": True}),
}
_NAMES = {"max_tokens": "num_predict", "max_completion_tokens": "num_predict", "reasoning_effort": "think"}
_APART = ("think", "keep_alive")
"""Options that are fields of the body; the others stand in ``options``."""


def make_body(request: Request) -> dict[str, Any]:
    """Return the body of a request.

    :raises UnsupportedOption: an image has only an address, which the service does not fetch.
    :raises InvalidArgument: two options that are one here.
    """
    named = rename_options(request.options, _NAMES)
    if isinstance(named.get("stop"), str):
        named["stop"] = [named["stop"]]
    extra = dict(request.options.get("extra_body", {}))
    inner = extra.get("options")
    own = {name: value for name, value in named.items() if name not in _APART}
    options = {**own, **extra.pop("options")} if isinstance(inner, Mapping) else own
    return {
        "model": request.model,
        "messages": list(_write_messages(request.messages)),
        "stream": request.stream,
        **({"tools": [_write_tool(tool) for tool in request.tools]} if request.tools else {}),
        **({} if request.schema is None else {"format": dict(request.schema)}),
        **{name: value for name, value in named.items() if name in _APART},
        **({"options": options} if options else {}),
        **extra,
    }


def _write_messages(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
    """Yield the messages; a result names its tool, because Ollama does not always give a call an id."""
    asked: deque[ToolCall] = deque()
    for message in messages:
        if message.role == "tool":
            yield {"role": "tool", "content": message.text, **_name_tool(message, asked), **_write_images(message)}
        else:
            asked.extend(message.tool_calls)
            yield _write_message(message)


def _name_tool(message: Message, asked: deque[ToolCall]) -> dict[str, str]:
    """Return the fields that say whose result it is: of calls with the same id, the first that has none yet."""
    call = next((call for call in asked if call.id == message.tool_call_id), None)
    if call is None:
        return {}
    asked.remove(call)
    return {"tool_name": call.name, **({"tool_call_id": call.id} if call.id else {})}


def _write_message(message: Message) -> dict[str, Any]:
    role = "system" if message.role == "developer" else message.role
    calls = [_write_call(call) for call in message.tool_calls]
    return {
        "role": role,
        "content": message.text,
        **_write_images(message),
        **({"tool_calls": calls} if calls else {}),
    }


def _write_call(call: ToolCall) -> dict[str, Any]:
    return {
        **({"id": call.id} if call.id else {}),
        "function": {"name": call.name, "arguments": dict(call.arguments)},
    }


def _write_images(message: Message) -> dict[str, list[str]]:
    images = [part for part in message.parts if isinstance(part, Image)]
    if any(not image.data for image in images):
        raise UnsupportedOption("takes an image as bytes, not by an address; download it and give its bytes")
    return {"images": [image.base64 for image in images]} if images else {}


def _write_tool(tool: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {name: tool[name] for name in ("name", "description", "parameters")}}
