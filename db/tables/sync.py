"""Links to the outside, the outbox of changes, and the progress of runs."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from db.tables.base import (
    METADATA,
    TIME,
    created_at,
    json_column,
    reference,
    tenant_table,
    updated_at,
)

LINKS = Table(
    "links",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("base", JSONB),
    Column("base_hash", LargeBinary),
    Column("version", TIME),
    Column("is_home", Boolean, nullable=False, server_default=text("true")),
    Column("differs", Boolean, nullable=False, server_default=text("false")),
    Column("pushed_at", TIME),
    Column("pushing", JSONB),
    Column("bounces", Integer, nullable=False, server_default=text("0")),
    Column("deleted_at", TIME),
    created_at(),
    updated_at(),
    Column("confirmed_at", TIME),
    PrimaryKeyConstraint("tenant_id", "store_id", "entity", "external_id"),
    reference("store_id", "stores"),
    Index("ix_links_record", "record_id", "entity", "tenant_id"),
)
"""`base` is the canonical snapshot both sides last agreed on, `base_hash` its fingerprint, and
`version` the store's own time of it. Variants have no base of their own: their product has it.

`is_home` is true where the record came from. `differs` says that the hub's record may differ from
the base: it was changed by somebody else since, and what the store says next has to be merged.
`pushing` is what the store is being sent, until its answer is recorded: heard from the store, it
is no change of its own. `pushed_at` and `bounces` are the loop breaker's. `confirmed_at` is when
the store last said the same as before at another version: only `version` changed then."""

CHANGES = Table(
    "changes",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("action", String(10), nullable=False),
    Column("store_id", BigInteger),
    Column("bulk", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", TIME, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("tenant_id", "seq", "created_at"),
    postgresql_partition_by="RANGE (created_at)",
)

SYNC_RUNS = tenant_table(
    "sync_runs",
    Column("store_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("workflow_id", Text, nullable=False),
    Column("workflow_run_id", Text, nullable=False),
    Column("status", String(20), nullable=False),
    Column("error", Text),
    Column("is_dry", Boolean, nullable=False, server_default=text("false")),
    Column("started_at", TIME, nullable=False, server_default=func.now()),
    Column("finished_at", TIME),
    reference("store_id", "stores"),
    Index("ix_sync_runs_store", "tenant_id", "store_id", "id"),
    Index("ix_sync_runs_workflow", "tenant_id", "workflow_id", "id"),
    Index("ix_sync_runs_started", "tenant_id", "started_at"),
)

SYNC_RUN_ENTITIES = Table(
    "sync_run_entities",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("phase", String(20), nullable=False, server_default=text("'pages'")),
    Column("round", Integer, nullable=False, server_default=text("0")),
    Column("total", BigInteger),
    Column("changed_since", TIME),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "run_id", "entity"),
    reference("run_id", "sync_runs", on_delete="CASCADE"),
)
"""Per entity of a run: how many the store has, and the store's clock from which the next round of
catch-up asks for changes."""

SYNC_RANGES = Table(
    "sync_ranges",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("name", String(40), nullable=False),
    Column("resume", Text, nullable=False),
    Column("done", Boolean, nullable=False, server_default=text("false")),
    Column("pages", Integer, nullable=False, server_default=text("0")),
    Column("seen", BigInteger, nullable=False, server_default=text("0")),
    Column("created", BigInteger, nullable=False, server_default=text("0")),
    Column("updated", BigInteger, nullable=False, server_default=text("0")),
    Column("unchanged", BigInteger, nullable=False, server_default=text("0")),
    Column("deleted", BigInteger, nullable=False, server_default=text("0")),
    Column("rejected", BigInteger, nullable=False, server_default=text("0")),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "run_id", "entity", "name"),
    reference("run_id", "sync_runs", on_delete="CASCADE"),
)
"""One piece of a pull (a range of pages, one round's changes, one round's sweep): what it did, and
where it goes on, written in the transaction of the records it is about."""

SYNC_REJECTIONS = Table(
    "sync_rejections",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("key", Text, nullable=False),
    Column("external_id", Text),
    Column("reason", Text, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=func.now()),
    PrimaryKeyConstraint("tenant_id", "run_id", "entity", "key"),
    reference("run_id", "sync_runs", on_delete="CASCADE"),
)

RUN_DIFFS = Table(
    "run_diffs",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(always=False), nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("way", String(10), nullable=False),
    Column("entity", String(20), nullable=False),
    Column("key", Text, nullable=False),
    Column("place", String(40), nullable=False),
    Column("action", String(20), nullable=False),
    Column("external_id", Text),
    Column("record_id", BigInteger),
    json_column("fields"),
    created_at(),
    PrimaryKeyConstraint("tenant_id", "run_id", "id"),
    UniqueConstraint("tenant_id", "run_id", "way", "entity", "key"),
    reference("run_id", "sync_runs", on_delete="CASCADE"),
    Index("ix_run_diffs_age", "created_at"),
)
"""What a dry run found: nothing of it was done. `way` is `pull` or `push`, `key` names the record
in it, so that a step that runs twice tells it once; `fields` maps a field to
`{"from": …, "to": …}`. Rows go after a day."""

RUN_PUSHES = Table(
    "run_pushes",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("queued", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False, server_default=text("0")),
    Column("passed_on", BigInteger, nullable=False, server_default=text("0")),
    Column("skipped", BigInteger, nullable=False),
    Column("is_forced", Boolean, nullable=False),
    created_at(),
    Column("held", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant_id", "run_id", "entity"),
    reference("run_id", "sync_runs", on_delete="CASCADE"),
)
"""What a run that somebody asked for has to send: `queued` rows of `pushes` got its id. `sent` of
them the store has; of `held` at least a field waits for a person; `passed_on` belong to a later run
that asked for the same records. `skipped` records were meant as well, and are none that the store
can have."""

PROVIDER_CALLS = Table(
    "provider_calls",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("hour", TIME, nullable=False),
    Column("method", String(10), nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("calls", BigInteger, nullable=False),
    Column("total_ms", BigInteger, nullable=False),
    Column("buckets", ARRAY(BigInteger), nullable=False),
    PrimaryKeyConstraint("tenant_id", "store_id", "hour", "method", "outcome"),
    reference("store_id", "stores"),
)
"""Requests to a store, counted by hour. `buckets` is a histogram of how long they took
(`domain.latencies`), so that percentiles of any span can be told."""

STORE_HEALTH = Table(
    "store_health",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("is_connected", Boolean, nullable=False),
    Column("message", Text, nullable=False, server_default=text("''")),
    Column("latency_ms", Integer),
    Column("checked_at", TIME, nullable=False),
    Column("connected_at", TIME),
    PrimaryKeyConstraint("tenant_id", "store_id"),
    reference("store_id", "stores"),
)
"""What the last request to a store, or the last check of it, found."""

SWEEP_IDS = Table(
    "sweep_ids",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("run_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("external_id", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "run_id", "entity", "external_id"),
    reference("run_id", "sync_runs", on_delete="CASCADE"),
)
"""The ids a sweep saw, for the comparison with `links`; emptied when the sweep is settled."""
