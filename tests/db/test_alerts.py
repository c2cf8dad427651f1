from db.alerts import AlertKind, NewAlert, raise_alert
from db.session import Database
from tests.db.room import Room


async def test_a_connection_raises_any_number_of_alerts(app_url: str, room: Room) -> None:
    database = Database(app_url, pool_size=1)
    raised = []
    # After five uses the driver prepares a statement, after five more PostgreSQL plans it anew.
    for number in range(12):
        async with database.tenant(room.tenant_id) as connection:
            alert = NewAlert(room.tenant_id, AlertKind.LOOP, f"order/{number % 11}", "", "")
            raised.append(await raise_alert(connection, alert))
    await database.close()
    assert None not in raised[:11]
    assert raised[11] is None
