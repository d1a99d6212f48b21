"""A fake service of GizAI."""

from providers_sdk.testing import FakeService, Received, Response, html, json_response


class GizAISite(FakeService):
    """Answers ``POST /api/data/users/inferenceServer.infer`` with status 201."""

    cases = {
        "status_200": "status 200 instead of 201",
        "failed": "status 500 with a message",
        "empty": "the output is white space",
        "missing": "there is no output",
        "list": "the JSON is a list",
        "html": "a page with status 201",
    }

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        """Return the messages by their types; one without a type is a system message."""
        body = received.json()
        if not isinstance(body, dict):
            return None
        roles = {"human": "user", "ai": "assistant", None: "system"}
        return [(roles[turn.get("type")], turn["content"]) for turn in body["input"]["messages"]]

    def respond(self, received: Received) -> Response:
        """Return the service's response in this case."""
        if (received.method, received.path) != ("POST", "/api/data/users/inferenceServer.infer"):
            return json_response({"message": "no such page"}, status=404)
        responses = {
            "status_200": json_response({"output": self.text}),
            "failed": json_response({"message": "the inference failed"}, status=500),
            "empty": json_response({"output": " \n"}, status=201),
            "missing": json_response({"status": "completed"}, status=201),
            "list": json_response([self.text], status=201),
            "html": html("<html><head><title>Giz AI</title></head></html>", status=201),
        }
        return responses.get(
            self.case, json_response({"status": "completed", "output": f"\n {self.text} \n"}, status=201)
        )
