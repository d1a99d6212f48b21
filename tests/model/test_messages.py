from collections import UserList, deque
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import Message
from providers_sdk._model import messages
from providers_sdk._model.messages import ROLES, parse_messages
from providers_sdk.errors import InvalidMessages
from providers_sdk.plugin import format_prompt

USER = {"role": "user", "content": "Hi"}


def test_a_string_is_one_question_of_the_user() -> None:
    assert parse_messages("Why?") == (Message("user", "Why?"),)
    assert parse_messages(" \n Why? ") == (Message("user", " \n Why? "),)


@pytest.mark.parametrize("role", [role for role in ROLES if role != "tool"])
def test_every_known_role_is_taken_as_mapping_or_message(role: str) -> None:
    expected = (Message(role, "Hi"),)
    assert parse_messages([{"role": role, "content": "Hi"}]) == expected
    assert parse_messages([MappingProxyType({"role": role, "content": "Hi", "name": "left out"})]) == expected
    assert parse_messages([Message(role, "Hi")]) == expected


@pytest.mark.parametrize("kind", [list, tuple, deque, UserList])
def test_any_sequence_will_do_and_is_left_as_it_was(kind: Any) -> None:
    given = kind([USER, Message("assistant", "Hello"), dict(USER)])
    before = list(given)
    assert parse_messages(given) == (Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "Hi"))
    assert list(given) == before


def test_content_may_be_a_list_of_text_parts() -> None:
    parts = ["a", {"type": "text", "text": "b"}, {"text": "c"}]
    assert parse_messages([{"role": "user", "content": parts}]) == (Message("user", "abc"),)
    assert parse_messages([{"role": "user", "content": tuple(parts)}]) == (Message("user", "abc"),)


def test_an_empty_turn_is_allowed_but_not_as_the_last() -> None:
    assert parse_messages([{"role": "system", "content": ""}, USER])[0] == Message("system", "")
    contents: list[Any] = ["", " \n\t", []]
    for content in contents:
        with pytest.raises(InvalidMessages, match=r"message 1 \(the last\) is empty"):
            parse_messages([USER, {"role": "user", "content": content}])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", "the prompt is empty"),
        (" \n", "the prompt is empty"),
        ([], "no messages"),
        ((), "no messages"),
        (None, "not NoneType"),
        (7, "not int"),
        (b"Hi", "not bytes; decode"),
        (bytearray(b"Hi"), "not bytearray; decode"),
        (memoryview(b"Hi"), "not memoryview; decode"),
        (USER, "not dict"),
        ({"Hi"}, "not set"),
        (iter([USER]), "not list_iterator"),
        ([USER, "Hi"], "message 1 must be a mapping"),
        ([b"Hi"], "message 0 must be a mapping"),
        ([None], "message 0 must be a mapping"),
        ([{"content": "Hi"}], "message 0 has no 'role'"),
        ([USER, {"role": "user"}], "message 1 has no 'content'"),
        ([{}], "message 0 has no 'role'"),
        ([{"role": "king", "content": "Hi"}], "message 0 has the role 'king'; known roles are system, developer"),
        ([{"role": "User", "content": "Hi"}], "has the role 'User'"),
        ([{"role": None, "content": "Hi"}], "has the role None"),
        ([{"role": ["user"], "content": "Hi"}], "has the role"),
        ([Message("king", "Hi")], "has the role 'king'"),
        ([{"role": "user", "content": None}], "message 0 has content of type NoneType"),
        ([{"role": "user", "content": b"Hi"}], "message 0 has content of type bytes"),
        ([{"role": "user", "content": {"text": "Hi"}}], "message 0 has content of type dict"),
        ([{"role": "user", "content": 7}], "message 0 has content of type int"),
        ([{"role": "user", "content": ["a", 7]}], "message 0, part 1 is int; a part is a string, Image, File, or"),
        ([{"role": "user", "content": [{"type": "image_url", "text": "a"}]}], "part 0: an image_url part needs"),
        ([{"role": "user", "content": [{"type": "text"}]}], "part 0: a text part needs text under 'text'"),
        ([{"role": "user", "content": [{"type": "text", "text": None}]}], "part 0: a text part needs text"),
        ([{"role": "user", "content": [{"type": "input_audio"}]}], "part 0: the type 'input_audio' is not known"),
        ("a\0b", "the prompt holds a NUL character at position 1"),
        ([USER, {"role": "user", "content": ["a", "b\0"]}], "message 1 holds a NUL character at position 2"),
        ("a\ud83d", "the prompt holds a lone surrogate at position 1"),
        ([{"role": "system", "content": "\udc00"}, USER], "message 0 holds a lone surrogate at position 0"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_question_is_refused_naming_the_entry(given: Any, words: str) -> None:
    with pytest.raises(InvalidMessages) as caught:
        parse_messages(given)
    assert words in str(caught.value)


def test_a_prompt_of_eight_megabytes_passes_and_one_of_ten_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(parse_messages("x" * 8_000_000)[0].content) == 8_000_000
    with pytest.raises(InvalidMessages, match="has 10000000 characters"):
        parse_messages("x" * 10_000_000)
    monkeypatch.setattr(messages, "MAX_CHARACTERS", 100)
    assert parse_messages("x" * 100)
    with pytest.raises(InvalidMessages, match="has 101 characters; at most 100"):
        parse_messages("x" * 101)


@pytest.mark.parametrize(
    "given",
    [[{"role": "x" * 1_000_000, "content": "Hi"}], [{"role": "user", "content": "y" * 1000 + "\0"}]],
    ids=["role", "content"],
)
def test_a_refusal_does_not_repeat_what_was_refused(given: Any) -> None:
    with pytest.raises(InvalidMessages) as caught:
        parse_messages(given)
    assert len(str(caught.value)) < 300


def test_a_single_message_is_its_own_prompt() -> None:
    assert format_prompt([Message("user", " Hi \n")]) == " Hi \n"
    assert format_prompt([Message("system", "Hi")]) == "Hi"


def test_several_messages_become_lines_and_ask_for_an_answer() -> None:
    turns = [Message("system", "Be brief."), Message("user", "Hi"), Message("assistant", "Hello"), Message("user", "?")]
    assert format_prompt(turns) == "System: Be brief.\nUser: Hi\nAssistant: Hello\nUser: ?\nAssistant:"


def test_empty_turns_are_left_out_of_a_prompt() -> None:
    assert format_prompt([Message("system", " "), Message("user", "Hi")]) == "User: Hi\nAssistant:"
    assert format_prompt([]) == "Assistant:"


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
turns = st.lists(st.builds(Message, st.sampled_from(ROLES), texts), min_size=2, max_size=6)


@given(turns)
def test_a_prompt_holds_every_turn_in_order_and_ends_with_the_assistants_cue(given: list[Message]) -> None:
    rest = format_prompt(given)
    assert rest.endswith("Assistant:")
    for turn in given:
        if turn.text.strip():
            line = f"{turn.role.capitalize()}: {turn.text}\n"
            assert line in rest
            rest = rest[rest.index(line) + len(line) :]
    assert rest == "Assistant:"


anything = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.binary(max_size=3) | st.builds(Message, st.text(), st.text()),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["role", "content", "type", "text"]), inner, max_size=4)
    ),
)


@given(anything)
def test_whatever_is_given_it_is_a_question_or_refused(given: Any) -> None:
    try:
        parsed = parse_messages(given)
    except InvalidMessages:
        return
    assert parsed[-1].text.strip() or parsed[-1].role == "tool"
    assert all(message.role in ROLES and message.text.encode() is not None for message in parsed)
