"""Options by the names that a service has for them."""

from collections.abc import Mapping
from typing import Any

from providers_sdk.plugin import InvalidArgument

__all__ = ["rename_options"]


def rename_options(options: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Return the options by the service's own names, without ``extra_body``.

    :param names: option → its name in the request, where it has another one there.
    :raises InvalidArgument: two of them have the same name there.
    """
    given = {option: value for option, value in options.items() if option != "extra_body"}
    found: dict[str, Any] = {}
    for option, value in given.items():
        name = names.get(option, option)
        if name in found:
            same = [repr(other) for other in given if names.get(other, other) == name]
            raise InvalidArgument(f"{' and '.join(same)} are one option of this service; give one of them")
        found[name] = value
    return found
