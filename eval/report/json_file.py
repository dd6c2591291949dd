"""Records, and the JSON files they are written to and read back from."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from eval.errors import ReportError
from index.store.atomic_file import write_file


class Record(BaseModel):
    """Immutable data. A key that the class does not know is an error, so a file of another version is noticed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class JsonFile(Record):
    """A record that has a file of its own."""

    kind: ClassVar[str] = "report"
    remedy: ClassVar[str] = "name a file that Footnote wrote"

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the record that a file holds.

        Raises:
            ReportError: The file cannot be read, or holds something else.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as error:
            raise ReportError(
                f"The report {str(path)!r} cannot be read ({error.strerror}): name an existing file."
            ) from error
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            where = ".".join(map(str, detail["loc"])) or "the whole file"
            raise ReportError(
                f"{str(path)!r} is no {cls.kind} ({where}: {detail['msg'].lower()}): {cls.remedy}."
            ) from error

    def write(self, path: Path) -> None:
        """Write the record to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_file(path, self.model_dump_json(indent=2) + "\n", ReportError)
