"""What a service of OpenAI's dialect has of its own: the row of a table."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["ExtraSetting", "Row"]


class ExtraSetting:
    """A setting that only this service has; its value is sent as a header or in the query.

    :param header: the header that carries the value.
    :param query: the parameter of the query that carries it.
    :param variables: the vendor's own environment variables for it, the first one wins.
    :param required: whether asking without it is refused.
    :param help: one line of description.
    :param sample: a value for the tests.
    """

    def __init__(
        self,
        *,
        header: str = "",
        query: str = "",
        variables: tuple[str, ...] = (),
        required: bool = False,
        help: str = "",  # noqa: A002  the word that Setting has
        sample: str = "sample",
    ) -> None:
        self.header, self.query, self.variables, self.required = header, query, variables, required
        self.help, self.sample = help, sample


class Row(NamedTuple):
    """One service.

    :param title: its name for readers.
    :param documentation: the address of its own documentation.
    :param source: where address, key variable and authentication were read.
    :param url: its address, up to and including the version; empty where each customer has one of their own.
    :param url_variables: the vendor's own environment variables for the address.
    :param url_help: one line on the setting ``url``, where the usual one does not fit.
    :param hosts: patterns of further hosts that are the vendor's own, such as ``"*.openai.azure.com"``.
    :param version_path: the path that is added to a ``url`` of a host only, because the vendor's variable has none.
    :param endpoint: the path of questions below the address; ``{model}`` is replaced.
    :param key_variables: the vendor's own environment variables for the key, the first one wins.
    :param key_header: the header that carries the key.
    :param key_prefix: what stands before the key in it.
    :param local: whether it is a server on the user's machine, at its usual port: it needs no key, and may have one.
    :param headers: headers of every request.
    :param settings: settings that only this service has.
    :param default_model: the model where the caller names none; empty where no name is known to be there.
    :param models_endpoint: the address of its list of models, relative to ``url`` (RFC 3986); empty for none.
    :param models_list: how the list looks: ``"data"`` for an object that holds it, ``"bare"`` for the list alone.
    :param models_prefix: what stands before each name in the list.
    :param stream_options: whether it may be sent ``stream_options``.
    :param renamed_options: option → its name in the request, where it has another one here.
    :param missing_options: options that it does not take.
    :param refuses_unknown_fields: whether a field that it does not know is an error.
    :param lists_errors: whether an error is a list of objects.
    :param first_token: seconds to which the limit ``first_token`` is raised; 0 for the usual one.
    """

    title: str
    documentation: str
    source: str
    url: str = ""
    url_variables: tuple[str, ...] = ()
    url_help: str = "the service's address"
    hosts: tuple[str, ...] = ()
    version_path: str = ""
    endpoint: str = "/chat/completions"
    key_variables: tuple[str, ...] = ()
    key_header: str = "authorization"
    key_prefix: str = "Bearer "
    local: bool = False
    headers: Mapping[str, str] = MappingProxyType({})
    settings: Mapping[str, ExtraSetting] = MappingProxyType({})
    default_model: str = ""
    models_endpoint: str = "models"
    models_list: str = "data"
    models_prefix: str = ""
    stream_options: bool = True
    renamed_options: Mapping[str, str] = MappingProxyType({})
    missing_options: tuple[str, ...] = ()
    refuses_unknown_fields: bool = False
    lists_errors: bool = False
    first_token: float = 0.0
