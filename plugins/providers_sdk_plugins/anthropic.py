"""Anthropic's Messages API: ``POST /v1/messages``, streamed or whole."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from providers_sdk.plugin import (
    Chunk,
    Http,
    InvalidAnswer,
    InvalidArgument,
    MissingSetting,
    Option,
    Provider,
    Register,
    Request,
    Setting,
    UnsupportedOption,
    hookimpl,
)
from providers_sdk_plugins._anthropic_answer import END, iter_message, iter_stream
from providers_sdk_plugins._anthropic_request import OPTIONS, SAMPLING, make_body

__all__ = ["Anthropic"]

_VERSION = "2026-10-21"
"""The API's version, as anthropic 2.14.0 sends it; since then it refuses the options of sampling."""
_MOST_PAGES = 100


class Anthropic(Provider):
    """Claude; ``models`` is empty, because a list here would be out of date."""

    url = "https://api.anthropic.com"
    api_endpoint = "/v1/messages"
    needs_auth = True
    supports_stream = True
    supports_images = supports_files = supports_tools = supports_schema = True
    default_model = "claude-haiku-5-5"
    first_token = 300.0
    known_options: ClassVar[Mapping[str, Option] | tuple[str, ...]] = OPTIONS
    known_settings: ClassVar[Mapping[str, Setting]] = {
        "url": Setting(default=url, help="the service's address", vendor_variables=("ANTHROPIC_BASE_URL",)),
        "key": Setting(
            secret=True, help="the service's key; needed where no token is set", vendor_variables=("ANTHROPIC_API_KEY",)
        ),
        "token": Setting(
            secret=True,
            help="a bearer token, as gateways want it; alone, or beside the key",
            vendor_variables=("ANTHROPIC_AUTH_TOKEN",),
        ),
        "api_version": Setting(default=_VERSION, help="the version of the API, a date"),
    }
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.anthropic:AnthropicSite"

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for end in (self.api_endpoint, "/v1"):
            if self.url.endswith(end):
                raise InvalidArgument(
                    f"the setting 'url' ends with {end}, which the provider adds itself; leave that out",
                    provider=self.name,
                )
        if not self.settings.get("key") and not self.settings.get("token"):
            raise MissingSetting(
                f"needs the setting 'key' or 'token': give settings={{{self.name!r}: {{'key': ...}}}} or set "
                "ANTHROPIC_API_KEY; the vendor's variables are used for its own address only",
                provider=self.name,
            )

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask with the whole history; read the response, events or JSON."""
        self._check_sampling(request)
        response = http.post(self.api_endpoint, json=make_body(request), headers=self._make_headers())
        if request.stream and not response.is_json():
            yield from iter_stream(response.events(until=END))
        else:
            yield from iter_message(response.json())

    def list_models(self, http: Http) -> Iterator[str]:
        """Yield the names of the models that the service lists, page by page.

        :raises ResponseError: the response holds no list of models.
        """
        after: dict[str, str] = {}
        for _ in range(_MOST_PAGES):
            page = http.get("/v1/models", params={"limit": "1000", **after}, headers=self._make_headers()).json()
            yield from (names := _read_names(page))
            if not names or not page.get("has_more"):
                return
            after = {"after_id": str(page.get("last_id") or names[-1])}

    def _make_headers(self) -> dict[str, str]:
        key, token = self.settings.get("key"), self.settings.get("token")
        return {
            "anthropic-version": self.settings["api_version"],
            **({"x-api-key": key} if key else {}),
            **({"authorization": f"Bearer {token}"} if token else {}),
        }

    def _check_sampling(self, request: Request) -> None:
        refused = [name for name in SAMPLING if name in request.options]
        if refused and self.settings["api_version"] >= _VERSION:  # dates as text
            raise UnsupportedOption(
                f"takes no {' and no '.join(refused)} since the version {_VERSION} of its API; leave it out, or set "
                "'api_version' to 2023-06-01 for a model or server that takes it"
            )


def _read_names(page: object) -> list[str]:
    rows = page.get("data") if isinstance(page, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and isinstance(row.get("id"), str) for row in rows):
        raise InvalidAnswer("the response holds no list of models")
    return [row["id"] for row in rows]


@hookimpl
def register_providers(register: Register) -> None:
    """Register the provider."""
    register("anthropic", Anthropic)
