"""Text recognition (OCR) of scanned pages by the `tesseract` program, where it is installed."""

from __future__ import annotations

import functools
import shutil
import subprocess
from typing import Final

_WANTED: Final = ("eng", "chi_tra", "chi_sim")
_SECONDS_A_PAGE: Final = 120


@functools.cache
def recognition() -> tuple[str, str] | None:
    """Return the program and its languages, such as `eng+chi_tra`, or None where it or all of them are missing."""
    program = shutil.which("tesseract")
    if program is None:
        return None
    listed = subprocess.run(  # noqa: S603  # fixed arguments, no shell
        [program, "--list-langs"], capture_output=True, text=True, check=False, timeout=_SECONDS_A_PAGE
    )
    languages = "+".join(language for language in _WANTED if language in listed.stdout.split())
    return (program, languages) if languages else None


def recognise(width: int, height: int, pixels: bytes) -> str:
    """Return the text in a picture, empty where none is found.

    Args:
        width: In pixels.
        height: In pixels.
        pixels: A byte of grey for each, row by row from the top.
    """
    found = recognition()
    assert found is not None, "asked only where it is installed"
    program, languages = found
    try:
        done = subprocess.run(  # noqa: S603  # fixed arguments, no shell
            [program, "stdin", "stdout", "-l", languages],
            input=b"P5 %d %d 255\n" % (width, height) + pixels,
            capture_output=True,
            check=False,
            timeout=_SECONDS_A_PAGE,
        )
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout.decode("utf-8", "replace").replace("\f", "").strip() if done.returncode == 0 else ""
