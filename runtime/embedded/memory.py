"""What an embedded hub keeps over its runs: its ports, its first tenant's key."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.embedded.child import EmbeddedError
from runtime.embedded.private_files import read_private, write_private

_FILE = "hub.json"


class Memory(BaseModel):
    """Ports are kept because others remember addresses: bookmarks, shops, workers."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_port: int | None = None
    temporal_port: int | None = None
    temporal_ui_port: int | None = None
    api_key: str = ""
    api_secret: str = Field(default="", repr=False)

    @classmethod
    def load(cls, data_dir: Path) -> Self:
        """What is kept in `data_dir`, or nothing yet. Raises EmbeddedError."""
        path = data_dir / _FILE
        try:
            return cls.model_validate(read_private(path) or {})
        except ValidationError:
            raise EmbeddedError(f"{path} is not what it was written as: remove it") from None

    def save(self, data_dir: Path) -> None:
        """Keep it, readable by its owner alone."""
        write_private(data_dir / _FILE, self.model_dump())
