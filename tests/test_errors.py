import builtins
import copy
import pickle
import re
from collections.abc import Callable

import pytest

import providers_sdk
from providers_sdk import Attempt, ProviderError, Usage, errors

KINDS: list[type[ProviderError]] = [getattr(errors, name) for name in errors.__all__]
FIELDS = {
    "provider": "acme",
    "model": "m-1",
    "url": "https://acme.example/chat",
    "status": 429,
    "retry_after": 2.5,
    "partial": "Margherita, ",
    "finish_reason": "length",
    "usage": Usage(21, 42),
    "attempts": (Attempt("acme", "m-1", "RateLimited", "too many", 429, 0.5, None, 1.5, 300),),
}
LIMIT_FIELDS = {"seconds": 30.0, "elapsed": 30.1}


def full(kind: type[ProviderError]) -> ProviderError:
    """Return an error of ``kind`` with every field filled."""
    error = kind("it failed; try something else")
    for name, value in fields(kind).items():
        assert hasattr(error, name)
        setattr(error, name, value)
    error.add_note("a note")
    return error


def fields(kind: type[ProviderError]) -> dict[str, object]:
    return {**FIELDS, **(LIMIT_FIELDS if issubclass(kind, errors.TimeLimitExceeded) else {})}


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_is_born_with_nothing_but_a_sentence(kind: type[ProviderError]) -> None:
    error = kind("it failed")
    assert str(error) == error.message == "it failed"
    assert (error.provider, error.model, error.url, error.retry_after) == (None,) * 4
    assert error.status == (429 if kind is errors.RateLimited else None)
    assert (error.partial, error.attempts) == ("", ())
    assert (error.finish_reason, error.usage) == (None, None)
    assert isinstance(error, ProviderError)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_who_failed(kind: type[ProviderError]) -> None:
    error = full(kind)
    assert str(error) == "acme: it failed; try something else"
    assert error.message == "it failed; try something else"
    assert kind.__name__ in repr(error)
    assert "it failed" in repr(error)


CLONES: dict[str, Callable[[ProviderError], ProviderError]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    **{
        f"pickle {protocol}": lambda error, protocol=protocol: pickle.loads(pickle.dumps(error, protocol))  # type: ignore[misc]
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("clone", CLONES.values(), ids=CLONES)
@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_pickle_and_copy_with_every_field(
    kind: type[ProviderError], clone: Callable[[ProviderError], ProviderError]
) -> None:
    error = full(kind)
    twin = clone(error)
    assert twin is not error
    assert type(twin) is kind
    assert (str(twin), twin.args, twin.__notes__) == (str(error), error.args, ["a note"])
    assert {name: getattr(twin, name) for name in fields(kind)} == fields(kind)


def test_every_field_can_be_given_at_birth() -> None:
    error = ProviderError("it failed", **FIELDS)  # type: ignore[arg-type]
    assert {name: getattr(error, name) for name in FIELDS} == FIELDS
    late = errors.IdleTimeout("too late", seconds=30.0, elapsed=30.1, provider="acme", url="https://acme.example")
    assert (late.limit, late.seconds, late.elapsed, late.provider) == ("idle", 30.0, 30.1, "acme")


def test_attempts_are_kept_as_a_tuple_of_their_own() -> None:
    given = [Attempt("acme", "m-1", "answered")]
    error = ProviderError("it failed", attempts=given)
    given.clear()
    assert error.attempts == (Attempt("acme", "m-1", "answered"),)


def test_a_sentence_may_be_replaced_as_redaction_does() -> None:
    for kind in KINDS:
        error = full(kind)
        error.args = ("[hidden]",)
        assert str(error) == "acme: [hidden]"
        assert str(pickle.loads(pickle.dumps(error))) == "acme: [hidden]"


def test_each_limit_is_named_by_its_own_class() -> None:
    limits = {kind.__name__: kind.limit for kind in errors.TimeLimitExceeded.__subclasses__()}
    assert limits == {
        "ConnectTimeout": "connect",
        "FirstTokenTimeout": "first_token",
        "IdleTimeout": "idle",
        "DeadlineExceeded": "deadline",
    }


LINE = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Za-z]+)(?: +(?P<words>.*))?$")


def drawn() -> list[tuple[int, str, set[str]]]:
    """Return the tree in the module's docstring: depth, name, and what it says that a class also is."""
    assert errors.__doc__ is not None
    tree = errors.__doc__.partition("::\n\n")[2].partition("\n\n")[0]
    rows = []
    for line in tree.splitlines():
        found = LINE.match(line)
        assert found, line
        rows.append(
            (len(found["branch"]) // 4, found["name"], set(re.findall(r"\(also (\w+)\)", found["words"] or "")))
        )
    return rows


def test_the_drawn_tree_holds_every_class_exactly_once() -> None:
    assert sorted(name for _, name, _ in drawn()) == sorted(errors.__all__)


def test_the_drawn_tree_is_the_tree_of_classes() -> None:
    above: list[str] = []
    for depth, name, also in drawn():
        kind = getattr(errors, name)
        parent = above[depth - 1] if depth else "Exception"
        del above[depth:]
        above.append(name)
        assert {base.__name__ for base in kind.__bases__} == {parent, *also}


@pytest.mark.parametrize(
    ("name", "also"),
    [
        ("InvalidArgument", ValueError),
        ("InvalidMessages", ValueError),
        ("PromptRejected", ValueError),
        ("TokensNotFound", RuntimeError),
        ("TokenPageFailed", RuntimeError),
        ("TimeLimitExceeded", TimeoutError),
        ("DeadlineExceeded", TimeoutError),
        ("UnknownProvider", LookupError),
    ],
)
def test_a_class_is_caught_by_the_builtin_that_scripts_expect(name: str, also: type[Exception]) -> None:
    with pytest.raises(also):
        raise getattr(errors, name)("it failed")


def test_no_class_is_caught_by_a_builtin_by_accident() -> None:
    builtin = {value for value in vars(builtins).values() if isinstance(value, type)}
    for _, name, also in drawn():
        bases = {base for base in getattr(errors, name).__mro__ if base in builtin}
        families = {"ValueError", "RuntimeError", "LookupError", "TimeoutError"}
        documented = {base.__name__ for base in bases} & families
        inherited = {word for parent in getattr(errors, name).__mro__ for word in also_of(parent.__name__)}
        assert documented == (also | inherited) & families


def also_of(name: str) -> set[str]:
    return next((also for _, drawn_name, also in drawn() if drawn_name == name), set())


def test_the_module_exports_every_class_and_the_package_ten() -> None:
    exported = {name for name in providers_sdk.__all__ if name in errors.__all__}
    assert len(exported) == 10
    assert {kind.__name__ for kind in KINDS} == set(errors.__all__)
    for kind in KINDS:
        assert kind.__module__ == "providers_sdk.errors"
        assert kind.__name__ not in exported or getattr(providers_sdk, kind.__name__) is kind
        assert kind.__doc__


def test_a_script_can_catch_by_branch() -> None:
    branches = ("InvalidCall", "TransportError", "ResponseError", "PluginError", "BatchError", "AllProvidersFailed")
    for kind in KINDS:
        found = [name for name in branches if issubclass(kind, getattr(errors, name))]
        assert len(found) == (kind is not ProviderError)
