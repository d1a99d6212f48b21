"""Pizzagpt: one question, one answer, no streaming."""

from collections.abc import Iterator

from providers_sdk.plugin import (
    Chunk,
    EmptyAnswer,
    FinishReason,
    Http,
    InvalidAnswer,
    PromptRejected,
    Provider,
    Register,
    Request,
    Setting,
    hookimpl,
    snippet,
)


class Pizzagpt(Provider):
    """The service at pizzagpt.it."""

    url = "https://www.pizzagpt.it"
    api_endpoint = "/api/chatx-completion"
    working = False
    default_model = "gpt-4o-mini"
    models = ("gpt-4o-mini",)
    known_settings = {"secret": Setting(default="Marinara", secret=True, help="the header x-secret")}
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.pizzagpt:PizzagptSite"

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask the whole conversation as one string."""
        headers = {
            "accept": "application/json",
            "origin": self.url,
            "referer": f"{self.url}/en",
            "x-secret": self.settings["secret"],
        }
        response = http.post(self.api_endpoint, json={"question": request.prompt}, headers=headers)
        yield _read_content(response.json())
        yield FinishReason("stop")


def _read_content(body: object) -> str:
    if not isinstance(body, dict):
        raise InvalidAnswer(f"answered a JSON {type(body).__name__} where an object belongs")
    inner = body.get("answer")
    content = (inner if isinstance(inner, dict) else body).get("content")
    if content is None or content == "":
        raise EmptyAnswer("answered without any content; ask again or ask another provider")
    if not isinstance(content, str):
        raise InvalidAnswer(f"answered with content of type {type(content).__name__}")
    if "Misuse detected" in content:
        raise PromptRejected(f"the service rejects the question: {snippet(content)}")
    return content


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``pizzagpt``."""
    register("pizzagpt", Pizzagpt)
