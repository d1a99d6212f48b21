"""The metadata of distributions is read as ``importlib.metadata`` reads it."""

import importlib.metadata
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers_sdk import Registry
from providers_sdk._plugins.metadata import DistributionFolder, iter_distributions, parse_entry_points
from tests.plugin_host.shelf import Shelf

LINES = st.one_of(
    st.sampled_from(
        ["[providers_sdk]", "[a.b]", "[]", "  [ x ] ", "# a note", "", "name", "one = two", "=", "[a", "b]"]
    ),
    st.from_regex(r" ?[\w.-]{1,5} ?= ?[\w.]{1,5}(:[\w.]{1,5})?( \[[a-z,]{1,5}\])? ?", fullmatch=True),
    st.text(max_size=8),
)
Rows = list[tuple[str, str, str]] | None


class Text(importlib.metadata.Distribution):
    """A distribution that has nothing but entry points."""

    def __init__(self, text: str) -> None:
        self._text = text

    def read_text(self, filename: str) -> str | None:
        return self._text

    def locate_file(self, path: Any) -> Any:
        return path


def read_ours(text: str) -> Rows:
    try:
        return [(entry.name, entry.value, entry.group) for entry in parse_entry_points(text)]
    except ValueError:
        return None


def read_theirs(text: str) -> Rows:
    try:
        return [(entry.name, entry.value, entry.group) for entry in Text(text).entry_points]
    except (TypeError, ValueError, AttributeError):
        return None


@given(st.lists(LINES, max_size=8).map("\n".join))
def test_entry_points_are_those_that_importlib_metadata_reads(text: str) -> None:
    assert read_ours(text) == read_theirs(text)


def read_both(found: Any) -> tuple[str | None, ...]:
    return tuple(map(found.read_text, ("METADATA", "PKG-INFO", "entry_points.txt")))


def test_the_installed_distributions_are_those_that_importlib_metadata_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [finder for finder in sys.meta_path if finder is PathFinder or not hasattr(finder, "find_distributions")]
    monkeypatch.setattr(sys, "meta_path", own)
    folder = sysconfig.get_path("purelib")
    ours = list(iter_distributions([folder]))
    context = importlib.metadata.DistributionFinder.Context(path=[folder])
    theirs = importlib.metadata.MetadataPathFinder.find_distributions(context)  # the backport, where it is, replaces it
    assert {type(found) for found in ours} == {DistributionFolder}
    assert sorted(map(read_both, ours), key=str) == sorted(map(read_both, theirs), key=str)


def test_an_entry_point_loads_what_importlib_metadata_loads() -> None:
    for value in ("json", "json.decoder:JSONDecoder.decode", "json.decoder : JSONDecoder [extra]"):
        (ours,) = parse_entry_points(f"[group]\nname = {value}")
        assert ours.is_sound
        assert ours.load() is importlib.metadata.EntryPoint("name", value, "group").load()


@pytest.mark.parametrize("value", ["json decoder", "json:", "./json.py", "json:a:b"])
def test_a_value_of_another_form_is_not_sound(value: str) -> None:
    (found,) = parse_entry_points(f"[group]\nname = {value}")
    assert not found.is_sound
    with pytest.raises(ValueError, match="is not of the form"):
        found.load()


def test_a_distribution_in_a_zip_file_is_found(tmp_path: Path) -> None:
    archive = tmp_path / "plugins.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("acme-1.0.dist-info/entry_points.txt", "[providers_sdk]\nacme = acme\n")
    (found,) = iter_distributions([str(archive)])
    assert found.read_text("entry_points.txt") == "[providers_sdk]\nacme = acme\n"


def test_the_distributions_of_a_finder_of_somebody_else_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Finder(importlib.metadata.DistributionFinder):
        def find_spec(self, *_: object) -> None:
            return None

        def find_distributions(self, context: Any = None) -> Iterator[importlib.metadata.Distribution]:
            yield Text("[providers_sdk]\nelsewhere = elsewhere\n")

    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert "elsewhere" in Registry().names()
    assert PathFinder in sys.meta_path


def test_a_folder_behind_a_link_is_the_one_that_the_system_finds(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("acme")
    (tmp_path / "inner").mkdir()
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path / "inner")
    monkeypatch.setattr(sys, "path", [f"{link}/..", *(folder for folder in sys.path if folder != str(tmp_path))])
    assert "acme" in Registry().names()


def test_a_folder_that_is_on_the_path_twice_is_read_once(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.metadata("dist-broken", b"[providers_sdk]\nacme")
    link = tmp_path.parent / f"{tmp_path.name}-link"
    link.symlink_to(tmp_path)
    monkeypatch.syspath_prepend(link)
    assert [row.distribution for row in Registry().report() if row.state == "failed"] == ["dist_broken"]


def test_a_file_that_is_not_there_is_none_and_one_in_no_encoding_an_error(tmp_path: Path) -> None:
    folder = DistributionFolder(str(tmp_path))
    assert folder.read_text("METADATA") is None
    (tmp_path / "METADATA").write_bytes(b"Name: \xff")
    with pytest.raises(UnicodeDecodeError):
        folder.read_text("METADATA")
