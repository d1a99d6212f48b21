"""Writes a request in the OpenAI dialect: messages with parts, tools, and the form of the answer. Pure.

After the public reference of ``POST /chat/completions``: ``messages``, ``tools`` and ``response_format``.
"""

import re
from collections.abc import Mapping
from typing import Any

from providers_sdk._model.messages import Message
from providers_sdk._model.parts import File, Image, Part
from providers_sdk._model.request import Request
from providers_sdk._model.tools import ToolSchema
from providers_sdk.errors import InvalidArgument, UnsupportedOption

__all__ = ["make_openai_body"]

_EXTENSIONS = {"application/pdf": ".pdf", "text/plain": ".txt"}


def make_openai_body(request: Request) -> dict[str, Any]:
    """Return the fields ``messages``, ``tools`` and ``response_format``, the last two only where they are asked for.

    :raises UnsupportedOption: a file has only an address, which this dialect cannot send.
    :raises InvalidArgument: both a schema and the option ``response_format`` are given.
    """
    body: dict[str, Any] = {"messages": [_write_message(message) for message in request.messages]}
    if request.tools:
        body["tools"] = [_write_tool(tool) for tool in request.tools]
    if request.schema is not None:
        if "response_format" in request.options:
            raise InvalidArgument("schema= and response_format= both say what the answer looks like; give one of them")
        body["response_format"] = _write_format(request.schema)
    return body


def _write_message(message: Message) -> dict[str, Any]:
    content = message.content
    written: dict[str, Any] = {
        "role": message.role,
        "content": content if isinstance(content, str) else [_write_part(part) for part in content],
    }
    if message.tool_call_id is not None:
        written["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        written["content"] = content or None
        written["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments_json}}
            for call in message.tool_calls
        ]
    return written


def _write_part(part: Part) -> dict[str, Any]:
    if isinstance(part, str):
        return {"type": "text", "text": part}
    if isinstance(part, Image):
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "image_url", "image_url": {"url": part.address, **detail}}
    return {"type": "file", "file": _write_file(part)}


def _write_file(file: File) -> dict[str, str]:
    if file.id:
        return {"file_id": file.id}
    if not file.data:
        raise UnsupportedOption("takes a file as bytes or by its id, not by an address; download it and give its bytes")
    return {"filename": file.name or f"file{_EXTENSIONS.get(file.media_type, '')}", "file_data": file.address}


def _write_tool(tool: ToolSchema) -> dict[str, Any]:
    return {"type": "function", "function": dict(tool)}


def _write_format(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``response_format``; ``strict`` only for a schema that the service's strict mode accepts."""
    title = schema.get("title")
    name = re.sub(r"[^A-Za-z0-9_-]", "_", title)[:64] if isinstance(title, str) and title else "answer"
    strict = {"strict": True} if _is_closed(schema) else {}
    return {"type": "json_schema", "json_schema": {"name": name, "schema": dict(schema), **strict}}


def _is_closed(schema: object) -> bool:
    """Whether each object in ``schema`` forbids further properties and requires all it has, as strict mode demands."""
    if isinstance(schema, list):
        return all(map(_is_closed, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if schema.get("type") == "object" or isinstance(properties, Mapping):
        names, required = set(properties or ()), schema.get("required")
        if schema.get("additionalProperties") is not False or set(required or ()) != names:
            return False
    return all(map(_is_closed, schema.values()))


make_openai_body.__module__ = "providers_sdk.plugin"
