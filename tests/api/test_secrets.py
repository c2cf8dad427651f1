import psycopg
import pytest
from structlog.testing import capture_logs

from tests.api.hub import KEY, SECRET, Caller, Hub, store_body

WEBHOOK_SECRET = "wh_77777777777777777777777777777777"


@pytest.mark.parametrize("verdict", ["yes", "CredentialsError", "SecretError"])
async def test_secrets_stay_out_of_answers_logs_and_reprs(
    hub: Hub, caller: Caller, capsys: pytest.CaptureFixture[str], verdict: str
) -> None:
    body = store_body()
    body["config"]["webhookSecret"] = WEBHOOK_SECRET
    headers = {"Idempotency-Key": "one"}
    if verdict != "yes":
        hub.gateway.refuse(verdict, "no")
    with capture_logs() as lines:
        made = await caller.post("/api/stores", json=body, headers=headers)
        told = [made.text]
        if verdict == "yes":
            path = f"/api/stores/{made.json()['id']}"
            answers = (
                await caller.post("/api/stores", json=body, headers=headers),
                await caller.get(path),
                await caller.get("/api/stores"),
                await caller.post(f"{path}/test-connection"),
                await caller.patch(path, json={"config": {"consumerKey": KEY + "x"}}),
                await caller.patch(path, json={"config": {"consumerKey": [KEY]}}),
            )
            told.extend(answer.text for answer in answers)
    captured = capsys.readouterr()
    everything = " ".join(
        [*told, repr(lines), captured.out, captured.err, repr(hub.services), repr(hub.gateway)]
    )
    caller_secret = caller.headers["X-API-Secret"]
    for secret in (KEY, SECRET, WEBHOOK_SECRET, caller_secret):
        assert secret not in everything


async def test_secrets_stand_nowhere_in_the_database(
    hub: Hub, caller: Caller, superuser_url: str
) -> None:
    body = store_body()
    body["config"]["webhookSecret"] = WEBHOOK_SECRET
    await caller.post("/api/stores", json=body, headers={"Idempotency-Key": "one"})
    generated = (await caller.post("/api/stores", json=store_body("second"))).json()
    with psycopg.connect(superuser_url) as connection:
        tables = connection.execute(
            "select format('%I', tablename) from pg_tables where schemaname = 'public'"
        ).fetchall()
        dump = "\n".join(
            str(row[0])
            for (table,) in tables
            for row in connection.execute(f"select t::text from {table} t")
        )
    assert caller.headers["X-API-Key"] in dump
    secrets = (
        *(KEY, SECRET, WEBHOOK_SECRET, generated["webhookSecret"]),
        caller.headers["X-API-Secret"],
    )
    for secret in secrets:
        assert secret not in dump
        assert secret.encode().hex() not in dump
