"""The OpenAI protocol: ``POST /chat/completions``, streamed or whole; a service is a row of data."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from providers_sdk.plugin import (
    Chunk,
    Http,
    HttpResponse,
    HTTPStatusError,
    InvalidAnswer,
    InvalidArgument,
    Option,
    Provider,
    ProviderError,
    Request,
    iter_completion,
    iter_deltas,
    make_openai_body,
)
from providers_sdk_plugins import _openai_address as address
from providers_sdk_plugins._options import rename_options

__all__ = ["OPTIONS", "OpenAICompatible"]

OPTIONS: Mapping[str, Option] = {
    "temperature": Option(float, 0.25),
    "top_p": Option(float, 0.5),
    "max_tokens": Option(int, 100),
    "max_completion_tokens": Option(int, 100),
    "stop": Option((str, list, tuple), ["\n\n"]),
    "seed": Option(int, 7),
    "presence_penalty": Option(float, 0.5),
    "frequency_penalty": Option(float, 0.5),
    "reasoning_effort": Option(str, "low"),
    "response_format": Option(dict, {"type": "json_object"}),
    "tool_choice": Option((str, dict), "auto"),
    "parallel_tool_calls": Option(bool, False),
    "user": Option(str, "user-1"),
    "extra_body": Option(Mapping, {"top_k": 40}),
}
"""The options by their names here; a service may have other names for them, or lack some."""
_REFUSED = "refuses stream_options"


class OpenAICompatible(Provider):
    """A provider for an OpenAI-compatible service; ``models`` is empty, because a list here would be out of date.

    Its attributes are a row's fields; the class ``Row`` describes them.
    """

    api_endpoint = "/chat/completions"
    needs_auth = True
    supports_stream = True
    known_options: ClassVar[Mapping[str, Option] | tuple[str, ...]] = OPTIONS
    supports_images = supports_files = supports_tools = supports_schema = True
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.openai:OpenAISite"

    title: ClassVar[str] = ""
    documentation: ClassVar[str] = ""
    local: ClassVar[bool] = False
    version_path: ClassVar[str] = ""
    key_header: ClassVar[str] = "authorization"
    key_prefix: ClassVar[str] = "Bearer "
    fixed_headers: ClassVar[Mapping[str, str]] = {}
    setting_headers: ClassVar[Mapping[str, str]] = {}
    """Setting → the header that carries its value."""
    setting_queries: ClassVar[Mapping[str, str]] = {}
    """Setting → the parameter of the query that carries its value."""
    renamed_options: ClassVar[Mapping[str, str]] = {}
    models_endpoint: ClassVar[str] = "models"
    models_prefix: ClassVar[str] = ""
    accepts_stream_options: ClassVar[bool] = True
    """Whether the service takes ``stream_options``, with which a stream is asked to report its usage.

    Some services refuse fields that they do not know. One that turns out to refuse this one is asked once more
    without it, and from then on never again with it, as long as the client lives.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        base = address.find_base(self.url, self.api_endpoint)
        if base is not None:
            raise InvalidArgument(
                f"the setting 'url' holds the path of questions, which the provider adds itself; give {base}",
                provider=self.name,
            )
        self.url = address.add_version_path(self.url, self.version_path)

    @classmethod
    def get_model(cls, model: str | None = None, *, strict: bool = False) -> str:
        """Return the service's own name for ``model``.

        :raises InvalidArgument: none is named, and none is known to be there.
        """
        found = super().get_model(model, strict=strict)
        if not found:
            raise InvalidArgument(
                "has no default model; name one, as NAME/MODEL, with model= or in the setting 'model' "
                "('providers models -p NAME' lists those of the service)"
            )
        return found

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask with the whole history; read the response, events or JSON."""
        response = self._ask(request, http)
        self._check_found(response)
        if request.stream and not response.is_json():
            yield from iter_deltas(response.events())
        else:
            yield from iter_completion(response.json())

    def list_models(self, http: Http) -> Iterator[str]:
        """Yield the names of the models that the service lists; nothing where it has no list.

        :raises ResponseError: the response holds no list of models.
        """
        if not self.models_endpoint:
            return
        response = http.get(
            address.join(self.url, self.models_endpoint), params=self._make_query(), headers=self._make_headers()
        )
        self._check_found(response)
        body = response.json()
        rows = body.get("data") if isinstance(body, dict) else body
        if not isinstance(rows, list) or not all(
            isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows
        ):
            raise InvalidAnswer("the response holds no list of models")
        yield from (row["id"].removeprefix(self.models_prefix) for row in rows)

    def _ask(self, request: Request, http: Http) -> HttpResponse:
        wanted = request.stream and self.accepts_stream_options
        if not wanted or _REFUSED in http.site_state:
            return self._post(request, http)
        response = self._post(request, http, stream_options={"include_usage": True})
        if response.status not in (400, 422) or response.bot_wall is not None:
            return response
        error = response.status_error()
        if "stream_options" not in error.message:
            raise error
        http.note_refused_attempt(error)
        response = self._post(request, http)
        if response.status == 200:
            http.site_state[_REFUSED] = True
        return response

    def _post(self, request: Request, http: Http, **extra: Any) -> HttpResponse:
        body = {
            "model": request.model,
            **make_openai_body(request),
            **rename_options(request.options, self.renamed_options),
            **({"stream": True} if request.stream else {}),
            **extra,
            **request.options.get("extra_body", {}),
        }
        path = address.fill_endpoint(self.api_endpoint, request.model)
        return http.post(path, params=self._make_query(), json=body, headers=self._make_headers())

    def _make_headers(self) -> dict[str, str]:
        key = self.settings.get("key")
        auth = {self.key_header: self.key_prefix + key} if key else {}
        return {**self.fixed_headers, **self._pick_settings(self.setting_headers), **auth}

    def _make_query(self) -> dict[str, str] | None:
        return self._pick_settings(self.setting_queries) or None

    def _pick_settings(self, names: Mapping[str, str]) -> dict[str, str]:
        return {name: self.settings[setting] for setting, name in names.items() if self.settings.get(setting)}

    def _check_found(self, response: HttpResponse) -> None:
        """Raise for a 404 with the address that was asked and, where one is likely, the right one.

        :raises HTTPStatusError: the status is 404.
        """
        if response.status == 404 and response.bot_wall is None:
            raise self._explain_missing(response)

    def _explain_missing(self, response: HttpResponse) -> ProviderError:
        error = response.status_error()
        if type(error) is not HTTPStatusError:
            return error
        likely = address.propose_base(self.url, type(self).url)
        advice = f"; the setting 'url' is probably {likely}" if likely else ""
        return HTTPStatusError(
            f"{error.message}; the address asked was {response.url}{advice}",
            url=error.url,
            status=error.status,
            retry_after=error.retry_after,
        )
