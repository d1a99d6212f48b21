"""Ollama's own API: ``POST /api/chat``, streamed as lines of JSON or whole."""

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
    Register,
    Request,
    Setting,
    hookimpl,
)
from providers_sdk_plugins._ollama_address import make_address
from providers_sdk_plugins._ollama_answer import is_last, iter_lines
from providers_sdk_plugins._ollama_request import OPTIONS, make_body

__all__ = ["Ollama"]

_PATHS = ("/api/chat", "/api", "/v1/chat/completions", "/v1")


class Ollama(Provider):
    """A server of Ollama, on this machine or elsewhere; ``models`` is empty, because each server has its own.

    ``OLLAMA_API_KEY`` is the key of Ollama's cloud, which the provider ``ollama-cloud`` asks; it is sent to no server.
    """

    url = "http://localhost:11434"
    api_endpoint = "/api/chat"
    supports_stream = True
    supports_images = supports_tools = supports_schema = True
    default_model = "qwen3"
    first_token = 300.0  # it loads the model first
    known_options: ClassVar[Mapping[str, Option] | tuple[str, ...]] = OPTIONS
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "url": Setting(
            default=url,
            help="the server's address",
            vendor_variables=("OLLAMA_HOST",),
            vendor_address=make_address,
        ),
        "key": Setting(secret=True, help="the key, where the server or a proxy before it wants one"),
    }
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.ollama:OllamaSite"

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for path in _PATHS:
            if self.url.endswith(path):
                raise InvalidArgument(
                    f"the setting 'url' ends with {path}; give the server's address without it, such as "
                    f"{type(self).url}",
                    provider=self.name,
                )

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask with the whole history; read the response, lines or one object."""
        response = http.post(self.api_endpoint, json=make_body(request), headers=self._make_headers())
        if response.status == 404 and response.bot_wall is None:
            raise _explain_missing(response, request.model)
        yield from iter_lines(response.ndjson(until=is_last) if request.stream else [response.json()])

    def list_models(self, http: Http) -> Iterator[str]:
        """Yield the names of the models that the server has; the tag ``latest`` is left out, as it may be.

        :raises ResponseError: the response holds no list of models.
        """
        body = http.get("/api/tags", headers=self._make_headers()).json()
        rows = body.get("models") if isinstance(body, dict) else None
        if not isinstance(rows, list) or not all(map(_find_name, rows)):
            raise InvalidAnswer("the response holds no list of models")
        yield from (_find_name(row).removesuffix(":latest") for row in rows)

    def _make_headers(self) -> dict[str, str]:
        key = self.settings.get("key")
        return {"authorization": f"Bearer {key}"} if key else {}


def _find_name(row: object) -> str:
    found = (row.get("model") or row.get("name")) if isinstance(row, dict) else None
    return found if isinstance(found, str) else ""


def _explain_missing(response: HttpResponse, model: str) -> ProviderError:
    """Return the error for a 404: the server lacks the model, or there is no Ollama at the address."""
    error = response.status_error()
    if type(error) is not HTTPStatusError:
        return error
    lacks = model in error.message
    advice = f"pull it with 'ollama pull {model}'" if lacks else f"the address asked was {response.url}"
    return HTTPStatusError(f"{error.message}; {advice}", url=error.url, status=error.status)


@hookimpl
def register_providers(register: Register) -> None:
    """Register the provider."""
    register("ollama", Ollama)
