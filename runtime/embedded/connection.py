"""`connection.json`: how to reach an embedded hub, for people and programs on the same machine."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.embedded.child import EmbeddedError
from runtime.embedded.private_files import read_private, write_private

CONNECTION_FILE = "connection.json"


class Connection(BaseModel):
    """How to reach a hub that runs embedded.

    Attributes:
        database_url: as the application role, which sees one tenant at a time.
        api_key, api_secret: of the first tenant, with every permission.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    api_url: str
    temporal_address: str
    temporal_ui_url: str | None
    database_url: str
    api_key: str
    api_secret: str = Field(repr=False)

    def save(self, data_dir: Path) -> Path:
        """Write it, readable by its owner alone; returns where."""
        path = data_dir / CONNECTION_FILE
        write_private(path, self.model_dump())
        return path


def load_connection(data_dir: Path) -> Connection | None:
    """What the hub in `data_dir` wrote when it was ready last; None when none ever was.

    Raises:
        EmbeddedError: the file is not one of ours.
    """
    path = data_dir / CONNECTION_FILE
    content = read_private(path)
    if content is None:
        return None
    try:
        return Connection.model_validate(content)
    except ValidationError:
        raise EmbeddedError(f"{path} is not a connection file: remove it") from None
