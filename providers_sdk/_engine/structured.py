"""Asks once more where an answer does not fit its schema, and tells the model why."""

from providers_sdk._engine.reply import Reply
from providers_sdk._model.messages import Message
from providers_sdk.errors import InvalidAnswer, InvalidArgument, ProviderError

__all__ = ["check_schema_retries", "repeat_until_valid"]


def check_schema_retries(retries: object, schema: object) -> int:
    """Return ``retries``.

    :raises InvalidArgument: it is no whole number from 0, or there is no schema that an answer could break.
    """
    if isinstance(retries, bool) or not isinstance(retries, int) or retries < 0:
        raise InvalidArgument(f"schema_retries must be a whole number from 0, not {retries!r:.40}")
    if retries and schema is None:
        raise InvalidArgument("schema_retries needs schema=, the schema that the answer is to fit")
    return retries


def repeat_until_valid(reply: Reply, retries: int) -> Reply:
    """Return ``reply``, or the first of its repeats whose data fit the schema; each is read to its end.

    :param retries: how many repeats at the most; ``0`` checks nothing.
    :raises InvalidAnswer: of the last one, which does not fit either.
    :raises ProviderError: a repeat failed.
    """
    for made in range(retries + 1 if retries else 0):
        try:
            if not reply.tool_calls:
                _ = reply.data
            return reply
        except InvalidAnswer as error:
            if made == retries or not reply.done:
                raise
            reply = _ask_again(reply, error.message.partition("; the answer is:")[0])
    return reply


def _ask_again(reply: Reply, reason: str) -> Reply:
    messages = (*reply.question, reply.message, Message("user", f"{reason}. Answer again, with JSON that fits."))
    try:
        return reply.ask_again(messages)
    except ProviderError as error:
        error.messages = messages
        raise
