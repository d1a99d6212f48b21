"""What a provider is: its models, its settings, and the direct door to it."""

import inspect
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest

from providers_sdk import Client, FinishReason, Limits, Message, ProviderError, Registry, StreamTruncated, chat
from providers_sdk._provider.binding import bind
from providers_sdk.errors import (
    InvalidAnswer,
    InvalidArgument,
    InvalidMessages,
    MissingSetting,
    PluginContractError,
    PluginCrashed,
    UnknownModel,
    UnknownSetting,
    UnsupportedOption,
)
from providers_sdk.plugin import Chunk, Http, ModelReplaced, Provider, Request, Setting
from providers_sdk.testing import Connection, Received
from providers_sdk_plugins.chatgptfree import ChatgptFree
from providers_sdk_plugins.echo import Echo
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite
from providers_sdk_plugins.pizzagpt import Pizzagpt


class Acme(Provider):
    """Says what it was asked with, as the service would get it."""

    url = "https://acme.invalid"
    default_model = "small"
    models: tuple[str, ...] = ("small", "large")
    model_aliases: ClassVar = {"big": "large"}
    known_options = ("temperature", "top_p")
    known_settings: ClassVar = {
        "tone": Setting(default="polite"),
        "pin": Setting(secret=True, default="1234"),
        "area": Setting(),
    }

    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield f"{request.model}|{request.prompt}|{dict(request.options)}|{request.stream}"
        yield FinishReason("stop")


class Keyed(Acme):
    needs_auth = True


class AnyModel(Acme):
    models: tuple[str, ...] = ()
    model_aliases: ClassVar = {"big": "large-2026"}


@pytest.mark.parametrize(
    ("asked", "got"), [(None, "small"), ("", "small"), ("small", "small"), ("large", "large"), ("big", "large")]
)
def test_a_model_is_its_own_name_its_aliass_target_or_the_default(asked: str | None, got: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Acme.get_model(asked) == Acme.get_model(asked, strict=True) == Acme().get_model(asked) == got


def test_a_model_that_is_both_known_and_an_alias_is_itself() -> None:
    class Both(Acme):
        model_aliases: ClassVar = {"small": "large"}

    assert Both.get_model("small") == "small"


def test_where_no_models_are_listed_any_name_will_do() -> None:
    assert AnyModel.get_model("gpt-99", strict=True) == "gpt-99"
    assert AnyModel.get_model("big") == "large-2026"
    assert AnyModel.get_model() == "small"


def test_an_unknown_model_is_refused_strictly_with_those_that_are_known() -> None:
    with pytest.raises(UnknownModel, match="the model 'huge' is not known; known are small, large, big"):
        Acme.get_model("huge", strict=True)


@pytest.mark.parametrize("model", [3, b"small", ["small"], object()])
def test_a_model_that_is_no_string_is_refused(model: Any) -> None:
    with pytest.raises(UnknownModel, match="a model is named by a string"):
        Acme.get_model(model)


def client() -> Client:
    registry = Registry()
    registry.register("acme", Acme)
    return Client("acme", registry=registry)


ASK: dict[str, Callable[[], object]] = {
    "get_model": lambda: Acme.get_model("huge"),
    "create_completion": lambda: Acme().create_completion("huge", "Hi"),
    "Client.chat": lambda: client().chat("Hi", model="huge"),
    "Conversation.chat": lambda: client().conversation().chat("Hi", model="huge"),
    "chat": lambda: chat("Hi", provider="echo", model="huge"),
}


@pytest.mark.parametrize("way", ASK)
def test_a_replaced_model_is_a_warning_that_points_at_the_callers_line(way: str) -> None:
    with pytest.warns(ModelReplaced, match="'huge' is not known") as caught:
        ASK[way]()
    [warning] = caught
    assert warning.filename == __file__
    assert warning.lineno == inspect.getsourcelines(ASK[way])[1]


def test_the_default_answers_in_the_place_of_an_unknown_model() -> None:
    with pytest.warns(ModelReplaced, match="'small' answers instead"):
        reply = client().chat("Hi", model="huge")
    assert reply.model == "small"
    assert reply.text.startswith("small|")


def test_a_strict_client_refuses_and_sends_nothing() -> None:
    registry = Registry()
    registry.register("acme", Acme)
    with pytest.raises(UnknownModel, match="huge") as raised:
        Client("acme", strict=True, registry=registry).chat("Hi", model="huge")
    assert raised.value.provider == "acme"
    with pytest.raises(UnknownModel):
        Acme().create_completion("huge", "Hi", strict=True)


def test_the_direct_door_gives_the_same_chunks() -> None:
    chunks = Acme(environ={}).create_completion("big", "Hi", temperature=0.2, stream=False)
    assert list(chunks) == ["large|Hi|{'temperature': 0.2}|False", FinishReason("stop")]


def test_the_direct_door_takes_what_chat_takes() -> None:
    turns = ({"role": "system", "content": "Be brief."}, Message("user", "Hi"))
    assert str(next(Acme().create_completion(None, turns))).startswith("small|System: Be brief.\nUser: Hi\n")


def test_the_direct_door_reaches_the_service() -> None:
    with PizzagptSite() as site:
        provider = Pizzagpt({"url": site.url})
        assert list(provider.create_completion("gpt-4o-mini", "Hi")) == [site.text, FinishReason("stop")]


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"messages": ""}, InvalidMessages),
        ({"messages": []}, InvalidMessages),
        ({"messages": "Hi", "colour": "red"}, UnsupportedOption),
        ({"messages": "Hi", "proxy": "no scheme"}, InvalidArgument),
    ],
)
def test_the_direct_door_refuses_wrong_requests_at_once(wrong: dict[str, Any], error: type[ProviderError]) -> None:
    with pytest.raises(error):
        Acme().create_completion(None, **wrong)


def first_piece_only(connection: Connection, _: Received) -> None:
    """Send an answer's head, its role and its first text; then wait until the client is gone."""
    pieces = iter(connection.intended_response.encode())
    for _piece in range(3):
        connection.send(next(pieces))
    connection.wait_closed()


def test_leaving_the_direct_door_closes_its_connection() -> None:
    with AIPowerSite() as site:
        site.fault = first_piece_only
        chunks = ChatgptFree({"url": site.url}).create_completion(None, "Hi")
        assert next(chunks) == site.reply_pieces[0]
        del chunks
        assert site.wait_idle(10)


def test_errors_of_the_direct_door_say_who_and_what_had_come() -> None:
    with AIPowerSite("cut") as site:
        chunks = ChatgptFree({"url": site.url}).create_completion(None, "Hi")
        with pytest.raises(StreamTruncated) as raised:
            list(chunks)
    error = raised.value
    assert (error.provider, error.model) == ("chatgptfree", "gpt-4o-mini-2024-07-18")
    assert error.partial == site.text


def test_the_direct_door_keeps_the_limits() -> None:
    chunks = Acme().create_completion(None, "Hi", limits=Limits(deadline=5))
    assert len(list(chunks)) == 2


class Crashing(Acme):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        raise KeyError("oops")


class NoIterator(Acme):
    def complete(self, request: Request, http: Http) -> Any:
        return "text"


class Halfway(Acme):
    def complete(self, request: Request, http: Http) -> Iterator[Chunk]:
        yield "so "
        raise KeyError("oops")


class BadModels(Acme):
    @classmethod
    def get_model(cls, model: str | None = None, *, strict: bool = False) -> str:
        raise KeyError("oops")


@pytest.mark.parametrize(
    ("kind", "error", "words"),
    [
        (Crashing, PluginCrashed, "KeyError"),
        (Halfway, PluginCrashed, "KeyError"),
        (BadModels, PluginCrashed, "KeyError"),
        (NoIterator, PluginContractError, "complete\\(\\) returned str"),
    ],
)
@pytest.mark.parametrize("door", ["direct", "client"])
def test_a_plugins_own_fault_is_told_as_such(
    kind: type[Provider], error: type[ProviderError], words: str, door: str
) -> None:
    registry = Registry()
    registry.register("faulty", kind)

    def ask() -> object:
        if door == "client":
            return Client("faulty", registry=registry).chat("Hi").text
        return list(kind(name="faulty").create_completion(None, "Hi"))

    with pytest.raises(error, match=words) as raised:
        ask()
    assert raised.value.provider == "faulty"


def test_settings_come_from_the_argument_the_environment_and_the_default_in_this_order() -> None:
    environ = {"PROVIDERS_SDK_ACME_TONE": "rough", "PROVIDERS_SDK_ACME_URL": "https://mirror.invalid/base/"}
    assert Acme(environ={}).settings == {"url": "https://acme.invalid", "tone": "polite", "pin": "1234"}
    assert Acme(environ=environ).settings["tone"] == "rough"
    assert Acme({"tone": "soft"}, environ=environ).settings["tone"] == "soft"
    assert Acme(environ={"PROVIDERS_SDK_ACME_TONE": ""}).settings["tone"] == "polite"
    assert Acme(environ=environ).url == "https://mirror.invalid/base"
    assert Acme.url == "https://acme.invalid"


def test_the_environment_is_that_of_the_registered_name() -> None:
    environ = {"PROVIDERS_SDK_MY_ACME_2_AREA": "51"}
    assert Acme(name="my-acme.2", environ=environ).settings["area"] == "51"


def test_the_processs_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVIDERS_SDK_ACME_AREA", "51")
    assert Acme().settings["area"] == "51"


def test_what_was_handed_in_is_not_written_to() -> None:
    given = {"tone": "soft"}
    provider = Acme(given)
    given["tone"] = "changed"
    assert provider.settings["tone"] == "soft"
    assert given == {"tone": "changed"}


def test_an_unknown_setting_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(
        UnknownSetting, match=r"acme: has no setting 'tune'; it has area, headers, model, pin, rpm, tone, url"
    ):
        Acme({"tune": "x"})


@pytest.mark.parametrize("value", [3, b"x", ["x"]])
def test_a_setting_that_is_no_string_is_refused(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="setting 'tone' must be a string"):
        Acme({"tone": value})


def test_a_key_that_is_needed_is_asked_for_by_all_its_names() -> None:
    with pytest.raises(MissingSetting, match=r"settings=\{'keyed': \{'key': ...\}\} or set PROVIDERS_SDK_KEYED_KEY"):
        Keyed(environ={})
    assert Keyed(environ={"PROVIDERS_SDK_KEYED_KEY": "sk-1234"}).settings["key"] == "sk-1234"


def test_secrets_are_those_that_the_user_has_set() -> None:
    assert bind(Acme(environ={})).session.redact.secrets == frozenset()
    assert bind(Acme({"pin": "9876"}, environ={})).session.redact.secrets == {"9876"}
    assert bind(Keyed({"key": "sk-1234", "tone": "rough"}, environ={})).session.redact.secrets == {"sk-1234"}


def test_a_password_in_the_address_is_a_secret() -> None:
    bound = bind(Acme({"url": "https://me:pass-word@acme.invalid"}, environ={}))
    assert bound.session.redact.secrets == {"pass-word", "me:pass-word"}


def test_a_repr_holds_no_setting() -> None:
    assert repr(Keyed({"key": "sk-1234"}, environ={})) == "<Keyed provider 'keyed'>"


def test_what_a_provider_cannot_take_is_refused() -> None:
    class Plain(Acme):
        supports_system_message = False
        supports_message_history = False

    for turns, words in (
        ([Message("system", "x"), Message("user", "Hi")], "takes no system message"),
        ([Message("developer", "x"), Message("user", "Hi")], "takes no system message"),
        ([Message("user", "x"), Message("assistant", "y"), Message("user", "Hi")], "takes no message history"),
    ):
        with pytest.raises(UnsupportedOption, match=words):
            Plain().create_completion(None, turns)
        assert list(Acme().create_completion(None, turns))


def test_an_unknown_option_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UnsupportedOption, match="does not know the option colour, size; known: temperature, top_p"):
        Acme().create_completion(None, "Hi", size=3, colour="red")
    with pytest.raises(UnsupportedOption, match="known: none"):
        Echo().create_completion(None, "Hi", temperature=0.2)


def test_a_provider_without_complete_says_so() -> None:
    with pytest.raises(TypeError, match="Provider has no complete"):
        Provider().complete(Request((Message("user", "Hi"),), "m"), Any)  # type: ignore[arg-type]


def test_requests_are_frozen_and_survive_pickling() -> None:
    request = bind(Acme()).create_request("big", (Message("user", "Hi"),), options={"temperature": 0.2})
    assert pickle.loads(pickle.dumps(request)) == request
    with pytest.raises(AttributeError):
        request.model = "other"  # type: ignore[misc]


def test_a_page_in_the_place_of_an_answer_is_no_answer_through_the_direct_door() -> None:
    with PizzagptSite("html") as site, pytest.raises(InvalidAnswer, match=r"pizzagpt: .*asks for a password"):
        list(Pizzagpt({"url": site.url}).create_completion(None, "Hi"))
