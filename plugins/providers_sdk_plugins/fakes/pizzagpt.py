"""A fake service of Pizzagpt."""

from providers_sdk.testing import FakeService, Received, Response, html, json_response, split_prompt


class PizzagptSite(FakeService):
    """Answers ``POST /api/chatx-completion``."""

    cases = {
        "bare": "the content is outside of 'answer'",
        "misuse": "the question is held for misuse",
        "empty": "the content is empty",
        "missing": "there is no content",
        "list": "the JSON is a list",
        "html": "a page with status 200",
        "wrong_secret": "the header x-secret is not accepted",
    }

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return the turns in the field ``question``."""
        body = received.json()
        return split_prompt(body["question"]) if isinstance(body, dict) else None

    def respond(self, received: Received) -> Response:
        """Return the service's response in this case."""
        if (received.method, received.path) != ("POST", "/api/chatx-completion"):
            return json_response({"message": "no such page"}, status=404)
        if self.case == "wrong_secret" or not received.headers.get("x-secret"):
            return json_response({"error": True, "message": "Unauthorized"}, status=401)
        if self.case == "html":
            return html("<html><head><title>Log in</title></head><form><input type=password></form></html>")
        return json_response(self._make_body())

    def _make_body(self) -> object:
        bodies: dict[str, object] = {
            "bare": {"content": self.text},
            "misuse": {"answer": {"content": "Misuse detected. Please get in touch with us."}},
            "empty": {"answer": {"content": ""}},
            "missing": {"answer": {}},
            "list": [self.text],
        }
        return bodies.get(self.case, {"answer": {"content": self.text}})
