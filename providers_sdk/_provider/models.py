"""Asks a service which models it has."""

import sys

from providers_sdk._http.client import Http
from providers_sdk._http.clock import Clock
from providers_sdk._model.limits import Limits
from providers_sdk._provider.binding import BoundProvider
from providers_sdk._provider.finish_error import finish_error
from providers_sdk.errors import PluginContractError, ProviderError

__all__ = ["list_served_models"]


def list_served_models(bound: BoundProvider, limits: Limits) -> list[str]:
    """Return the models that the service lists, in its order, each once; none where it has no list.

    :param limits: of these, ``connect`` and ``deadline`` count.
    :raises ProviderError: any of its tree.
    """
    http = Http(bound.session, Clock(limits.with_(first_token=None, idle=None)), bound.provider.url)
    before = sys.exception()
    try:
        return list(dict.fromkeys(_check(name) for name in bound.provider.list_models(http)))
    except (KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:  # noqa: BLE001  a plugin may raise anything
        failure: ProviderError = finish_error(error, http.redact, provider=bound.name, response=http, before=before)
    finally:
        http.close()
    raise failure


def _check(name: object) -> str:
    if not isinstance(name, str) or not name:
        raise PluginContractError(f"its list_models yielded {type(name).__name__}, which is no name of a model")
    return name
