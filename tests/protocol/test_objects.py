import pickle
from typing import Any

import pytest

from providers_sdk.plugin import Event, InvalidAnswer, as_object


def test_an_object_is_a_dict() -> None:
    found = as_object({"id": 7})
    assert found == {"id": 7}
    assert (found["id"], found.get("name"), "name" in found) == (7, None, False)
    assert pickle.loads(pickle.dumps(found)) == {"id": 7}


@pytest.mark.parametrize(
    ("value", "shown"), [([1, "é"], '[1, "é"]'), ("text", '"text"'), (7, "7"), (None, "null"), (True, "true")]
)
def test_other_json_is_an_invalid_answer_that_shows_it(value: Any, shown: str) -> None:
    with pytest.raises(InvalidAnswer) as caught:
        as_object(value, "a line")
    assert str(caught.value) == f"a line is no object: {shown}"


def test_a_missing_name_is_an_invalid_answer_that_names_it() -> None:
    with pytest.raises(InvalidAnswer, match=r"has no 'id': .*state"):
        as_object({"state": "done"})["id"]


def test_what_is_shown_is_short() -> None:
    with pytest.raises(InvalidAnswer) as caught:
        as_object(["x" * 100_000])
    assert len(str(caught.value)) < 200


def test_an_event_is_read_as_an_object() -> None:
    assert Event(data='{"piece": "Soup"}').object()["piece"] == "Soup"
    with pytest.raises(InvalidAnswer, match="the JSON of an event is no object: "):
        Event(data="[1]").object()
    with pytest.raises(InvalidAnswer, match="holds no JSON"):
        Event(data="[1").object()
