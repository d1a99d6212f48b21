"""Counts what a step of this library costs; ``tests/test_budgets.py`` runs it in a process of its own for each figure.

``python budget_meter.py FIGURE`` prints ``{"number": 12.0, "places": ["3.0 _engine/call.py:96 start", ...]}``. Nothing
here measures time: packages loaded, functions called, variables read and memory kept are the same on every machine.
"""

import json
import os
import socket
import sys
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from types import FrameType
from typing import Any

sys.modules["orjson"] = None  # type: ignore[assignment]  # as if the extra ``fast`` were not installed
FEW, MANY, MORE = 100, 1_100, 20_100
_ROOT = f"providers_sdk{os.sep}"


class ImportWatcher(MetaPathFinder):
    """Notes which line asked first for each package; finds nothing itself."""

    def __init__(self) -> None:
        self.places: dict[str, str] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        self.places.setdefault(name, _find_importer(sys._getframe(1)))


def _find_importer(frame: FrameType | None) -> str:
    while frame is not None and "importlib" in frame.f_code.co_filename:
        frame = frame.f_back
    return _describe(frame.f_code.co_filename, frame.f_lineno) if frame is not None else "?"


def _describe(file: str, line: int, name: str = "") -> str:
    for root in (_ROOT, f"site-packages{os.sep}", f"python{sys.version_info[0]}.{sys.version_info[1]}{os.sep}"):
        file = file.rpartition(root)[2]
    return f"{file}:{line} {name}".strip()


# ---------------------------------------------------------------- a service

DELTA = b'data: {"choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
END = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def serve(listener: socket.socket) -> None:
    """Answer each request with as many deltas as its model says, one HTTP chunk each, all sent at once."""
    connection, _ = listener.accept()
    with connection:
        while request := connection.recv(65_536):
            while b"messages" not in request:
                request += connection.recv(65_536)
            deltas = int(request.partition(b'"model": "m')[2].partition(b'"')[0])
            connection.sendall(HEAD + _chunk(DELTA) * deltas + _chunk(END) + b"0\r\n\r\n")


def start_service() -> str:
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=serve, args=(listener,), daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


def make_asker() -> Callable[[int], int]:
    """Return a function that asks for so many deltas and returns how many came."""
    from providers_sdk import Client

    client = Client("openai", settings={"openai": {"url": start_service(), "key": "sk-budget"}}, proxy=None)

    def ask(deltas: int) -> int:
        return sum(1 for _ in client.chat("hi", model=f"m{deltas}"))

    assert ask(1) == 1
    assert ask(FEW) == FEW  # what is loaded and compiled once is no part of a call
    return ask


# ---------------------------------------------------------------- figures: packages


def step_import() -> None:
    import providers_sdk

    assert providers_sdk.__doc__


def step_client() -> None:
    from providers_sdk import Client

    Client("echo").close()


def step_echo() -> None:
    from providers_sdk import Client

    assert Client("echo").chat("hi").text == "hi"


def step_openai() -> None:
    from providers_sdk import Client

    client = Client("openai", settings={"openai": {"url": start_service(), "key": "sk-budget"}})
    assert client.chat("hi", model="m3").text == "word word word "


def _run_command(*words: str) -> None:
    from providers_sdk.cli import main

    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        stdout, sys.stdout = sys.stdout, nowhere
        try:
            code = main(words)
        finally:
            sys.stdout = stdout
    assert code == 0


def step_version() -> None:
    _run_command("--version")


def step_help() -> None:
    _run_command("--help")


def count_packages(step: Callable[[], None]) -> tuple[float, list[str]]:
    """The foreign packages that a step loads, each with the line that asked for it."""
    watcher = ImportWatcher()
    sys.meta_path.insert(0, watcher)
    step()
    tops = {name for name in sys.modules if "." not in name}
    foreign = tops - sys.stdlib_module_names - {"__main__", "providers_sdk", "providers_sdk_plugins", "sitecustomize"}
    found = sorted(name for name in foreign if name in watcher.places and sys.modules[name] is not None)
    return float(len(found)), [f"{name} ({watcher.places[name]})" for name in found]


def count_plugins(step: Callable[[], None]) -> tuple[float, list[str]]:
    """The modules of plugins that a step imports, each with the line that asked for it."""
    watcher = ImportWatcher()
    sys.meta_path.insert(0, watcher)
    step()
    found = sorted(name for name in sys.modules if name.startswith("providers_sdk_plugins."))
    return float(len(found)), [f"{name} ({watcher.places[name]})" for name in found]


def count_modules(step: Callable[[], None]) -> tuple[float, list[str]]:
    """All modules that a step loads, the standard library's among them."""
    before = set(sys.modules)
    step()
    packages = Counter(name.partition(".")[0] for name in set(sys.modules) - before)
    return float(packages.total()), [f"{number} {name}" for name, number in packages.most_common(12)]


# ---------------------------------------------------------------- figures: a call and a delta


def _count_calls(work: Callable[[], object]) -> Counter[str]:
    """Return how often each Python function is called; generators count each time they go on."""
    found: Counter[Any] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            found[frame.f_code] += 1

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return Counter({_describe(code.co_filename, code.co_firstlineno, code.co_qualname): n for code, n in found.items()})


def _subtract(more: Counter[str], less: Counter[str], divisor: float) -> tuple[float, list[str]]:
    rows = {name: (number - less[name]) / divisor for name, number in more.items()}
    places = sorted(((number, name) for name, number in rows.items() if number >= 0.01), reverse=True)
    return sum(rows.values()), [f"{number:.2f} {name}" for number, name in places[:25]]


def calls_per_call() -> tuple[float, list[str]]:
    _use_small_environment()
    ask = make_asker()
    return _subtract(_count_calls(lambda: ask(1)), Counter(), 1)


def calls_per_delta() -> tuple[float, list[str]]:
    ask = make_asker()
    return _subtract(_count_calls(lambda: ask(MANY)), _count_calls(lambda: ask(FEW)), MANY - FEW)


def _count_reads(work: Callable[[], object]) -> Counter[str]:
    """Return which lines read the environment, and how often; reading all of it counts as one read a variable."""
    found: Counter[str] = Counter()
    kind = type(os.environ)
    read = kind.__getitem__

    def note(self: Any, name: str) -> str:
        frame = sys._getframe(1)
        while frame.f_back is not None and ("_collections_abc" in frame.f_code.co_filename or "os.py" in str(frame)):
            frame = frame.f_back
        found[_describe(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)] += 1
        return read(self, name)

    kind.__getitem__ = note  # type: ignore[method-assign]
    try:
        work()
    finally:
        kind.__getitem__ = read  # type: ignore[method-assign]
    return found


def _use_small_environment() -> None:
    for name in list(os.environ):
        del os.environ[name]
    os.environ.update({"HOME": "/nowhere", "PATH": "/bin", "LANG": "C.UTF-8", "PROVIDERS_SDK_CONFIG": ""})


def reads_per_call() -> tuple[float, list[str]]:
    _use_small_environment()
    ask = make_asker()
    return _subtract(_count_reads(lambda: ask(1)), Counter(), 1)


def reads_per_delta() -> tuple[float, list[str]]:
    _use_small_environment()
    ask = make_asker()
    return _subtract(_count_reads(lambda: ask(MANY)), _count_reads(lambda: ask(FEW)), MANY - FEW)


def bytes_per_delta() -> tuple[float, list[str]]:
    """Bytes of memory that each delta of a stream leaves behind while the reply is kept."""
    from providers_sdk import Client

    client = Client("openai", settings={"openai": {"url": start_service(), "key": "sk-budget"}})
    assert sum(1 for _ in client.chat("hi", model=f"m{MANY}")) == MANY
    reply = client.chat("hi", model=f"m{MORE}")
    for _ in range(FEW):
        next(reply)
    tracemalloc.start(1)
    before = tracemalloc.take_snapshot()
    assert sum(1 for _ in iter(lambda: next(reply, None), None)) == MORE - FEW  # to the end, so that no buffer is left
    rows = tracemalloc.take_snapshot().compare_to(before, "lineno")
    tracemalloc.stop()
    others = ("tracemalloc", __file__)  # and not what the service holds
    ours = [row for row in rows if not any(name in row.traceback[0].filename for name in others)]
    total = sum(row.size_diff for row in ours) / (MORE - FEW)
    lines = [(row.size_diff, row.traceback[0]) for row in ours if row.size_diff > 0]
    return total, [f"{size} {_describe(line.filename, line.lineno)}" for size, line in lines[:10]]


STEPS = {name.removeprefix("step_"): value for name, value in list(globals().items()) if name.startswith("step_")}


def _figures() -> Iterator[tuple[str, Callable[[], tuple[float, list[str]]]]]:
    for name, step in STEPS.items():
        yield f"packages {name}", lambda step=step: count_packages(step)  # type: ignore[misc]
        yield f"plugins {name}", lambda step=step: count_plugins(step)  # type: ignore[misc]
        yield f"modules {name}", lambda step=step: count_modules(step)  # type: ignore[misc]
    for figure in (calls_per_call, calls_per_delta, reads_per_call, reads_per_delta, bytes_per_delta):
        yield figure.__name__.replace("_", " "), figure


FIGURES = dict(_figures())

if __name__ == "__main__":
    number, places = FIGURES[" ".join(sys.argv[1:])]()
    print(json.dumps({"number": number, "places": places}))
    sys.stdout.flush()
    os._exit(0)  # the service's thread waits for a next request
