"""GizAI: a JSON service that responds with status 201 and the whole text."""

from collections.abc import Iterator

from providers_sdk.plugin import (
    Chunk,
    EmptyAnswer,
    FinishReason,
    Http,
    InvalidAnswer,
    Message,
    Provider,
    Register,
    Request,
    hookimpl,
)


class GizAI(Provider):
    """The assistant of app.giz.ai."""

    url = "https://app.giz.ai"
    api_endpoint = "/api/data/users/inferenceServer.infer"
    working = False
    default_model = "chat-gemini-flash"
    models = ("chat-gemini-flash",)
    model_aliases = {"gemini-1.5-flash": "chat-gemini-flash"}
    requires_contract = ">=1,<2"
    fake_service = "providers_sdk_plugins.fakes.gizai:GizAISite"

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        """Ask with the whole history; any status but 201 is an error."""
        response = http.post(
            self.api_endpoint,
            json={
                "model": request.model,
                "input": {"messages": [_make_turn(message) for message in request.messages], "mode": "plan"},
                "noStream": True,
            },
            headers={"accept": "application/json, text/plain, */*", "origin": self.url},
        )
        yield _read_output(response.json(status=(201,)))
        yield FinishReason(None)  # the service names none


def _make_turn(message: Message) -> dict[str, str]:
    kind = {"user": "human", "assistant": "ai"}.get(message.role)
    return {**({"type": kind} if kind else {}), "content": message.text}


def _read_output(body: object) -> str:
    if not isinstance(body, dict):
        raise InvalidAnswer(f"answered a JSON {type(body).__name__} where an object belongs")
    output = body.get("output")
    if output is None:
        raise EmptyAnswer("answered without an output; ask again or ask another provider")
    if not isinstance(output, str):
        raise InvalidAnswer(f"answered with an output of type {type(output).__name__}")
    return output.strip()


@hookimpl
def register_providers(register: Register) -> None:
    """Register ``gizai``."""
    register("gizai", GizAI)
