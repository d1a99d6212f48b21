"""What claims take for a difference, for a turn, for a cut: each service is judged by what it was sent."""

import json
import uuid
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from providers_sdk.plugin import (
    Chunk,
    FinishReason,
    Http,
    HttpResponse,
    InvalidAnswer,
    Option,
    Provider,
    Request,
    Setting,
)
from providers_sdk.testing import FakeService, Received, Response, json_response, split_prompt
from providers_sdk.testing.contract import CLAIMS, ContractRunner, Harness, Result, judge
from providers_sdk.testing.contract._requests import find_differences
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing.broken_answers import AsksForNoStream, DecodesEachRead, Sound
from tests.testing.broken_failures import JobSite


def _run(kind: type[Provider], fake: type[FakeService], claim: str) -> Result:
    return ContractRunner(Harness(kind, fake, patience=5.0)).run(CLAIMS[claim])


class TwoPostsSite(FakeService):
    """Gives a token of one use, then the answer."""

    reply_route = ("POST", "/stream")
    varying: ClassVar[Collection[str]] = ("token", "x-request-id")

    def __init__(self, case: str = "", **arguments: Any) -> None:
        super().__init__(case, **arguments)
        self.tokens: set[str] = set()

    def turns(self, received: Received) -> list[tuple[str, str]] | None:
        return split_prompt(received.form["prompt"]) if received.path == "/stream" else None

    def respond(self, received: Received) -> Response:
        if received.path == "/token":
            token = uuid.uuid4().hex
            self.tokens.add(token)
            return json_response({"token": token})
        if received.form.get("token") not in self.tokens:
            return json_response({"error": "no such token"}, status=403)
        return json_response({"text": self.text})


class TwoPosts(Provider):
    url = "https://two.example"
    default_model = "small"
    sends_model = False
    known_options = {"stop": Option((str, list), ["\n"]), "temperature": Option(float, 0.3)}

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        token = http.post("/token", json={}, headers={"x-request-id": uuid.uuid4().hex}).object()["token"]
        stop = request.options.get("stop", [])
        options = {**request.options, "stop": "|".join([stop] if isinstance(stop, str) else stop)}
        form = {"token": token, "prompt": request.prompt, **{name: str(value) for name, value in options.items()}}
        body = http.post("/stream", data=form).json()
        if not isinstance(body, dict):
            raise InvalidAnswer("answered with something else than an object")
        yield body["text"]
        yield FinishReason(None)


def test_a_service_with_two_posts_passes_every_claim() -> None:
    results = [result for result in judge(TwoPosts, TwoPostsSite) if not result.passes]
    assert results == []


def test_a_request_that_differs_where_nothing_is_declared_to_vary_is_named() -> None:
    class Undeclared(TwoPostsSite):
        varying = ("token",)

    result = _run(TwoPosts, Undeclared, "keeps_nothing_between_calls")
    assert result.state == "fails"
    assert "what differs: header x-request-id (request 1)" in result.detail


class Polls(Provider):
    url = "https://jobs.example"
    default_model = "small"
    sends_model = False
    needs_auth = True

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        job = http.post("/jobs", json={"prompt": request.prompt}).object(status=(202,))["job"]
        body = http.poll(lambda: http.get(job).object(), every=0.1, until=lambda body: "text" in body)
        yield body["text"]
        yield FinishReason(None)


def test_polling_that_ends_with_the_deadline_holds() -> None:
    assert _run(Polls, JobSite, "ends_its_polling").state == "holds"


@pytest.mark.parametrize(
    ("route", "shown"), [(("GET", "/jobs"), "GET /jobs"), (("PUT", ""), "PUT"), (("POST", "/jobs/*"), "POST /jobs/*")]
)
def test_a_reply_route_that_no_request_has_fails_one_claim_that_says_what_was_received(
    route: tuple[str, str], shown: str
) -> None:
    fake = type("Misrouted", (JobSite,), {"reply_route": route})
    fails = [result for result in judge(Polls, fake) if result.state == "fails"]
    assert [(result.claim.name, result.detail) for result in fails] == [
        (
            "answers",
            f"expected a request that matches the fake service's reply_route ({shown}); "
            "no request matched; received: POST /jobs, GET /jobs/1",
        )
    ]


def test_a_provider_that_asks_once_does_not_poll() -> None:
    result = _run(Sound, OpenAISite, "ends_its_polling")
    assert (result.state, result.detail) == ("does not apply", "it polls nothing: it sends each request once")


def test_a_job_that_is_done_at_once_shows_nothing_of_polling() -> None:
    class Done(JobSite):
        def respond(self, received: Received) -> Response:
            self.polls[received.path] = 1
            return super().respond(received)

    result = _run(Polls, Done, "ends_its_polling")
    assert (result.state, result.passes) == ("not judged", True)
    assert "let it be pending at least once" in result.detail


def test_turns_that_no_fake_service_reads_are_not_judged() -> None:
    class Mute(OpenAISite):
        def turns(self, received: Received) -> None:
            return None

    result = _run(Sound, Mute, "keeps_the_order_of_turns")
    assert (result.state, result.detail) == ("not judged", "its fake service reads no roles: it has no turns(received)")


class Escapes(OpenAISite):
    """Sends its text in ASCII, as some libraries do."""

    def respond(self, received: Received) -> Response:
        response = super().respond(received)
        body = response.body if isinstance(response.body, bytes) else b"".join(response.body)
        return replace(response, body=b"".join(_escape(body.decode())))


def _escape(text: str) -> Iterator[bytes]:
    for character in text:
        yield character.encode() if character.isascii() else json.dumps(character)[1:-1].encode()


def test_ascii_escapes_prove_nothing_about_characters_that_are_cut() -> None:
    result = _run(Sound, Escapes, "keeps_characters_whole")
    assert result.state == "fails"
    assert "expected a fake service that sends its text as UTF-8" in result.detail


class RecordsReads(DecodesEachRead):
    sizes: ClassVar[list[int]] = []

    def read(self, response: HttpResponse) -> Iterator[bytes]:
        for data in super().read(response):
            self.sizes.append(len(data))
            yield data


def test_each_byte_is_read_before_the_next_is_sent() -> None:
    runner = ContractRunner(Harness(RecordsReads, OpenAISite, patience=5.0))
    assert runner.run(CLAIMS["answers"]).state == "holds"
    assert max(RecordsReads.sizes) > 1
    RecordsReads.sizes.clear()
    assert runner.run(CLAIMS["keeps_characters_whole"]).state == "fails"
    assert set(RecordsReads.sizes) == {1}


def test_an_answer_that_the_provider_did_not_ask_to_stream_is_no_fault_of_the_fake() -> None:
    result = _run(AsksForNoStream, OpenAISite, "delivers_at_once")
    assert result.state == "fails"
    assert "the provider asked for a whole one: body stream = False" in result.detail


def test_an_answer_that_comes_whole_without_a_word_about_streams_may_be_the_fault_of_either() -> None:
    class Whole(OpenAISite):
        def paced(self, pieces: Any) -> Any:
            return list(pieces)

    assert "or the fake service must send the pieces through" in _run(Sound, Whole, "delivers_at_once").detail


def test_a_setting_that_only_changes_the_answer_counts_as_used() -> None:
    class Trims(Sound):
        known_settings = {"mark": Setting()}

        def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
            yield self.settings.get("mark", "")
            yield from super().complete(request, http)

    assert _run(Trims, OpenAISite, "uses_its_settings").state == "holds"


def _multipart(boundary: str, token: str = "a") -> Received:
    lines = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in (("file", "pizza"), ("token", token))
    ]
    body = "".join([*lines, f"--{boundary}--\r\n"]).encode()
    return Received("POST", "/", {"content-type": f"multipart/form-data; boundary={boundary}"}, body)


def test_the_boundary_of_a_multipart_body_makes_no_difference_but_its_parts_do() -> None:
    assert find_differences([_multipart("one")], [_multipart("another")]) == set()
    assert find_differences([_multipart("one")], [_multipart("one", "b")]) == {(0, "part token")}
    assert find_differences([_multipart("one")], [_multipart("one", "b")], ["token"]) == set()


def _send_json(**body: object) -> Received:
    return Received("POST", "/?a=1", {"content-type": "application/json", "x-id": "1"}, json.dumps(body).encode())


def test_each_place_of_a_request_counts_and_what_varies_does_not() -> None:
    one = _send_json(a=[{"id": 1, "text": "x"}])
    assert find_differences([one], [_send_json(a=[{"id": 2, "text": "x"}])]) == {(0, "body a[0].id")}
    assert find_differences([one], [_send_json(a=[{"id": 2, "text": "x"}])], ["id"]) == set()
    assert find_differences([one], [replace(one, target="/?a=2")]) == {(0, "query a")}
    assert find_differences([one], [replace(one, headers={**one.headers, "x-id": "2"})], ["X-Id"]) == set()
    job, other = replace(one, target="/jobs/1"), replace(one, target="/jobs/2")
    assert find_differences([job], [other]) == {(0, "the path")}
    assert find_differences([job], [other], ["/jobs/*"]) == set()
    assert find_differences([one], [one, one]) == {(1, "the number of requests")}
    assert find_differences([one], [_send_json(a=[])]) == {
        (0, "body a"),
        (0, "body a[0].id"),
        (0, "body a[0].text"),
    }


def test_a_prompt_in_one_string_is_read_back_into_turns() -> None:
    assert split_prompt("Hi") == [("user", "Hi")]
    assert split_prompt("System: Be brief.\nUser: Two\u2028lines\nAssistant: Ok\nUser: Go\nAssistant:") == [
        ("system", "Be brief."),
        ("user", "Two\nlines"),
        ("assistant", "Ok"),
        ("user", "Go"),
    ]
