"""Providers that break the contract when their service fails, each in one way."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from providers_sdk import errors
from providers_sdk.plugin import (
    Chunk,
    Event,
    FinishReason,
    Http,
    HttpResponse,
    Provider,
    ProviderError,
    Request,
    iter_deltas,
)
from providers_sdk.testing import Received, Response, json_response
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing.broken_answers import Sound, make_body


class SwallowsErrors(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        try:
            yield from super().complete(request, http)
        except ProviderError:
            yield "Sorry, something went wrong."
            yield FinishReason("stop")


class InventsAFinish(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        finished = False
        answer = http.post(
            "/chat/completions",
            json={**make_body(request), "stream": True},
            headers=self._make_headers(),
        )
        for chunk in iter_deltas(answer.events()):
            finished = finished or isinstance(chunk, FinishReason)
            yield chunk
        if not finished:
            yield FinishReason("stop")


class _Replaces(Sound):
    """What :meth:`replace` makes of an error ends the answer: another error, or text."""

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        try:
            yield from super().complete(request, http)
        except ProviderError as error:
            found = self.replace(error)
            if isinstance(found, ProviderError):
                raise found from error
            yield from (found, FinishReason(None))

    def replace(self, error: ProviderError) -> ProviderError | str:
        return error


class EndsALostConnectionWell(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        lost = isinstance(error, errors.TransportError) and not isinstance(error, errors.TimeLimitExceeded)
        return "..." if lost else error


class NamesNoFirstToken(Sound):
    def _ask(self, request: Request, http: Http) -> HttpResponse:
        try:
            return super()._ask(request, http)
        except errors.FirstTokenTimeout as error:
            raise errors.Refused("too slow") from error


class NamesNoIdleness(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        body = {**make_body(request), "stream": True}
        response = http.post("/chat/completions", json=body, headers=self._make_headers())
        try:
            yield from iter_deltas(response.events())
        except (errors.FirstTokenTimeout, errors.IdleTimeout) as error:
            raise errors.Refused("too slow") from error


class NamesNoDeadline(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return errors.Refused("too slow") if isinstance(error, errors.DeadlineExceeded) else error


class JobSite(OpenAISite):
    """A question makes a job, whose result is there at the second time of asking."""

    reply_route = ("GET", "/jobs/*")

    def __init__(self, case: str = "", **arguments: Any) -> None:
        super().__init__(case, **arguments)
        self.polls: Counter[str] = Counter()

    def respond(self, received: Received) -> Response:
        if received.method == "POST":
            return json_response({"job": f"/jobs/{len(self.requests)}"}, status=202)
        self.polls[received.path] += 1
        done = self.polls[received.path] > 1
        return json_response({"text": self.text} if done else {"state": "running"})


class _Polls(Provider):
    url = "https://jobs.example"
    default_model = "small"
    sends_model = False
    needs_auth = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        job = self.read(http.post("/jobs", json={"prompt": request.prompt}, headers=self.headers()), status=202)["job"]
        yield self.wait(lambda: self.read(http.get(job, headers=self.headers())))
        yield FinishReason(None)

    def headers(self) -> dict[str, str]:
        return {"x-key": self.settings["key"]}

    def read(self, response: HttpResponse, status: int = 200) -> dict[str, str]:
        body = response.json(status=(status,))
        if not isinstance(body, dict):
            raise errors.InvalidAnswer("no object")
        return body

    def wait(self, poll: Callable[[], dict[str, str]]) -> str:
        raise NotImplementedError


class PollsWithItsOwnClock(_Polls):
    def wait(self, poll: Callable[[], dict[str, str]]) -> str:
        while "text" not in (body := poll()):
            time.sleep(0.01)
        return body["text"]


class PollsForThreeTimes(_Polls):
    def wait(self, poll: Callable[[], dict[str, str]]) -> str:
        bodies = [poll() for _ in range(3)]
        return bodies[-1].get("text", "It takes a while.")


class PollsInAHurry(_Polls):
    def wait(self, poll: Callable[[], dict[str, str]]) -> str:
        while "text" not in (body := poll()):
            pass
        return body["text"]


class NamesNoRefusedKey(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return errors.InvalidAnswer("no answer") if isinstance(error, errors.AuthenticationFailed) else error


class LosesRetryAfter(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return errors.RateLimited("later") if isinstance(error, errors.RateLimited) else error


class AnswersForAFailedService(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return "Sorry." if (error.status or 0) >= 500 else error


class NamesNoBotWall(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return errors.InvalidAnswer("no answer") if isinstance(error, errors.Blocked) else error


class TakesAPageForText(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        body = {**make_body(request), "stream": True}
        response = http.post("/chat/completions", json=body, headers=self._make_headers())
        if response.content_type == "text/html" and response.status == 200:
            yield response.text()
            yield FinishReason(None)
        else:
            yield from iter_deltas(response.events())


class AnswersForAnEmptyResponse(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return "Hm." if isinstance(error, errors.EmptyAnswer) or error.status == 204 else error


class CrashesAtAList(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        body = {**make_body(request), "stream": True}
        response = http.post("/chat/completions", json=body, headers=self._make_headers())
        for event in response.events():
            if event.data == "[DONE]":
                yield FinishReason(None)
                return
            choices = json.loads(event.data).get("choices")
            yield from (choice["delta"].get("content", "") for choice in choices)
        raise errors.StreamTruncated("no end mark")


class PassesOverABrokenEvent(Sound):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        body = {**make_body(request), "stream": True}
        response = http.post("/chat/completions", json=body, headers=self._make_headers())
        yield from iter_deltas(filter(_is_json, response.events()))


def _is_json(event: Event) -> bool:
    try:
        return event.data == "[DONE]" or bool(event.json())
    except errors.InvalidAnswer:
        return False


class CrashesAtATokenThatIsAList(Sound):
    supports_stream = False

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        job = http.post("/jobs", json=make_body(request)).json(status=(200, 202))["job"]
        body = http.poll(lambda: http.get(job).object(), every=0.01, until=lambda body: "text" in body)
        yield body["text"]
        yield FinishReason(None)


class AnswersForTooMuch(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        return "Too long." if isinstance(error, errors.TooLarge) else error


class AddsALockToAnError(_Replaces):
    def replace(self, error: ProviderError) -> ProviderError | str:
        error.lock = threading.Lock()  # type: ignore[attr-defined]
        return error
