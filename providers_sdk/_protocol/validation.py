"""The grammar of an answer, enforced: pieces, then exactly one finish reason, then nothing."""

from collections.abc import Iterator

from providers_sdk._model.chunks import Chunk, FinishReason, Reasoning, Usage
from providers_sdk.errors import (
    EmptyAnswer,
    PluginContractError,
    PluginCrashed,
    ProviderError,
    StreamTruncated,
)

__all__ = ["checked", "crash"]


def checked(answer: object) -> Iterator[Chunk]:
    """Yield the chunks of a provider's ``answer``, and end only after its finish reason.

    Empty strings are dropped; surrogate pairs torn apart by the service are joined, lone ones become U+FFFD.

    :param answer: what the provider's ``complete`` returned.
    :raises StreamTruncated: it ended without a finish reason.
    :raises EmptyAnswer: it ended with one, but without text.
    :raises PluginContractError: it is no iterator, yielded a foreign object, or went on after the finish.
    :raises PluginCrashed: it raised something that is no :class:`ProviderError`.
    """
    if not isinstance(answer, Iterator):
        raise PluginContractError(
            f"complete() returned {type(answer).__name__}; it must be a generator (use yield) or another iterator"
        )
    try:
        yield from _sentence(answer)
    finally:
        _close(answer)


def _close(answer: object) -> None:
    try:
        close = getattr(answer, "close", None)
        if close is not None:
            close()
    except ProviderError:
        raise
    except Exception as error:
        raise crash(error) from error


def _sentence(answer: Iterator[object]) -> Iterator[Chunk]:
    joiner, thinking = _Joiner(), _Joiner()
    finish: FinishReason | None = None
    for chunk in _guarded(answer):
        if finish is not None:
            raise PluginContractError(f"yielded {_what(chunk)} after its FinishReason; nothing may follow it")
        if isinstance(chunk, str):
            text = joiner.join(chunk)
            if text:
                yield text
        elif isinstance(chunk, FinishReason):
            finish = chunk
            yield from _ended(joiner, thinking, finish)
        elif isinstance(chunk, Reasoning) and isinstance(chunk.text, str):
            yield from _thought(thinking.join(chunk.text))
        elif isinstance(chunk, Usage):
            yield chunk
        else:
            raise PluginContractError(f"yielded {_what(chunk)}; a chunk is str, Reasoning, Usage or FinishReason")
    if finish is None:
        raise StreamTruncated("the answer ended without its finish reason: it was cut off; what came is in 'partial'")


def _thought(text: str) -> Iterator[Reasoning]:
    if text:
        yield Reasoning(text)


def _ended(joiner: "_Joiner", thinking: "_Joiner", finish: FinishReason) -> Iterator[Chunk]:
    yield from _thought(thinking.rest())
    rest = joiner.rest()
    if rest:
        yield rest
    if not isinstance(finish.reason, str) or not finish.reason:
        raise PluginContractError(f"yielded FinishReason({finish.reason!r}); the reason is the service's word for it")
    if not joiner.seen_text:
        raise EmptyAnswer(f"the answer ended ({finish.reason}) and holds no text; ask again or ask another provider")
    yield finish


def _what(chunk: object) -> str:
    return "text" if isinstance(chunk, str) else f"an object of type {type(chunk).__name__}"


def _guarded(answer: Iterator[object]) -> Iterator[object]:
    while True:
        try:
            chunk = next(answer)
        except StopIteration:
            return
        except ProviderError:
            raise
        except Exception as error:
            raise crash(error) from error
        yield chunk


def crash(error: Exception) -> PluginCrashed:
    """Return the error for a plugin whose code raised ``error``, which is none of ours."""
    return PluginCrashed(
        f"its code raised {type(error).__name__}: {_said(error)}; a fault of the plugin, report it to its author"
    )


def _said(error: Exception) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001  an error that cannot even be printed is the plugin's, too
        return "(its own text cannot be read)"


class _Joiner:
    """Joins surrogate pairs that two pieces share."""

    def __init__(self) -> None:
        self._held = ""
        self.seen_text = False

    def join(self, piece: str) -> str:
        text = self._held + str.__str__(piece)
        self._held = text[-1:] if "\ud800" <= text[-1:] <= "\udbff" else ""
        text = text[:-1] if self._held else text
        self.seen_text = self.seen_text or bool(text.strip())
        return text if text.isascii() else _whole(text)

    def rest(self) -> str:
        held, self._held = self._held, ""
        self.seen_text = self.seen_text or bool(held)
        return _whole(held)


def _whole(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
