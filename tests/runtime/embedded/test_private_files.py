import stat
from pathlib import Path

import pytest

from runtime.embedded.child import EmbeddedError
from runtime.embedded.connection import Connection, load_connection
from runtime.embedded.memory import Memory
from runtime.embedded.private_files import read_private, write_private

CONNECTION = Connection(
    api_url="http://127.0.0.1:4000",
    temporal_address="127.0.0.1:7233",
    temporal_ui_url=None,
    database_url="postgresql://entrepot_app@/entrepot?host=/tmp",
    api_key="ek_a",
    api_secret="es_hidden",
)


def test_a_private_file_is_its_owners_alone_and_written_whole(tmp_path: Path) -> None:
    path = tmp_path / "hub" / "secrets.json"
    assert read_private(path) is None
    write_private(path, {"a": 1})
    write_private(path, {"a": 2})
    assert read_private(path) == {"a": 2}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("content", ["", "not json", "[]"])
def test_a_damaged_file_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "connection.json"
    path.write_text(content)
    with pytest.raises(EmbeddedError, match=r"connection\.json .*: remove it$"):
        load_connection(tmp_path)


def test_a_connection_is_read_back_and_shows_no_secret(tmp_path: Path) -> None:
    assert load_connection(tmp_path) is None
    assert CONNECTION.save(tmp_path) == tmp_path / "connection.json"
    assert load_connection(tmp_path) == CONNECTION
    assert "es_hidden" not in repr(CONNECTION)


def test_a_hub_remembers_its_ports_and_its_key(tmp_path: Path) -> None:
    assert Memory.load(tmp_path) == Memory()
    memory = Memory(api_port=4000, temporal_port=7233, api_key="ek_a", api_secret="es_hidden")
    memory.save(tmp_path)
    assert Memory.load(tmp_path) == memory
    assert "es_hidden" not in repr(memory)
    write_private(tmp_path / "hub.json", {"api_port": "no port", "api_secret": "es_hidden"})
    with pytest.raises(EmbeddedError) as damaged:
        Memory.load(tmp_path)
    assert str(damaged.value) == (
        f"{tmp_path / 'hub.json'} is not what it was written as: remove it"
    )
