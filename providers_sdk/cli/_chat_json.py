"""An answer, and an error, as the JSON object of ``providers chat --json``."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import click

from providers_sdk._attempts import TokenCounts
from providers_sdk._engine.reply import Reply
from providers_sdk.cli._exit_codes import describe_error, find_exit_code
from providers_sdk.errors import ProviderError

__all__ = ["ChatCommand", "describe_reply", "write_json"]


class ChatCommand(click.Command):
    """A command whose errors are JSON objects, too, where ``--json`` is given; its exit codes stay."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Parse the arguments."""
        before = args[: args.index("--")] if "--" in args else list(args)
        with _print_errors_as_json("--json" in before):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _print_errors_as_json(ctx.params["as_json"]):
            return super().invoke(ctx)


@contextmanager
def _print_errors_as_json(wanted: bool) -> Iterator[None]:
    try:
        yield
    except (BrokenPipeError, click.exceptions.Exit, click.Abort):
        raise
    except Exception as error:
        if wanted:
            click.echo(write_json(_describe_failure(error)))
        raise


def write_json(found: Any) -> str:
    """Return JSON as it is printed."""
    return json.dumps(found, indent=2, ensure_ascii=False)


def describe_reply(reply: Reply, data: Any, *, first_token: float, total: float) -> dict[str, Any]:
    """Return the object for an answer that was read to its end.

    :param data: of an answer with a schema.
    :param first_token: seconds until its first piece.
    :param total: seconds for all of it.
    """
    return {
        "text": reply.partial,
        "data": data,
        "provider": reply.provider,
        "model": reply.model,
        "served_model": reply.served_model,
        "finish_reason": reply.finish_reason,
        "usage": _describe_usage(reply.usage),
        "attempts": _describe_attempts(reply.attempts),
        "seconds": {"first_token": round(first_token, 3), "total": round(total, 3)},
        "error": None,
    }


def _describe_failure(error: Exception) -> dict[str, Any]:
    known = error if isinstance(error, ProviderError) else ProviderError("")
    return {
        "text": known.partial,
        "data": None,
        "provider": known.provider,
        "model": known.model,
        "served_model": None,
        "finish_reason": known.finish_reason,
        "usage": _describe_usage(known.usage),
        "attempts": _describe_attempts(known.attempts),
        "seconds": {"first_token": None, "total": None},
        "error": {
            "type": type(error).__name__,
            "message": describe_error(error),
            "exit_code": find_exit_code(error),
            "status": known.status,
            "retry_after": known.retry_after,
            "url": known.url,
        },
    }


def _describe_usage(usage: TokenCounts | None) -> dict[str, int | None] | None:
    if usage is None:
        return None
    counts = usage.prompt_tokens, usage.completion_tokens
    total = None if None in counts else sum(count for count in counts if count is not None)
    return {"prompt_tokens": counts[0], "completion_tokens": counts[1], "total_tokens": total}


def _describe_attempts(attempts: Sequence[Any]) -> list[dict[str, Any]]:
    rows = [asdict(attempt).items() for attempt in attempts]
    return [{name: round(value, 4) if isinstance(value, float) else value for name, value in row} for row in rows]
