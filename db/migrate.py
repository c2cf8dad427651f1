"""Bring a database to the newest schema.

Migrations run as the owner of the tables. They grant the application role what it needs and no
more; it is created when it is missing and the owner may create roles.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from psycopg import sql
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from db.session import driver_url

MIGRATIONS = Path(__file__).parent / "migrations"
APP_ROLE = "entrepot_app"


def alembic_config(owner_url: str, *, app_role: str = APP_ROLE) -> Config:
    """Alembic's configuration, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("version_path_separator", "os")
    config.set_main_option("file_template", "%%(year)d-%%(month).2d-%%(day).2d_%%(slug)s")
    config.attributes["url"] = driver_url(owner_url)
    config.attributes["app_role"] = app_role
    return config


def upgrade(owner_url: str, app_url: str | None = None) -> None:
    """Apply every migration that is missing; does nothing when there is none.

    Args:
        owner_url: the database as the role that owns the tables.
        app_url: the database as the application role; its name and password are used to create
            the role if it does not exist. Without it the role is `entrepot_app`.
    """
    role = make_url(app_url).username if app_url else None
    password = make_url(app_url).password if app_url else None
    _ensure_role(owner_url, role or APP_ROLE, password)
    command.upgrade(alembic_config(owner_url, app_role=role or APP_ROLE), "head")


def current_and_head(owner_url: str) -> tuple[str | None, str | None]:
    """The revision the database is at and the newest one there is."""
    head = ScriptDirectory.from_config(alembic_config(owner_url)).get_current_head()
    engine = create_engine(driver_url(owner_url))
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision(), head
    finally:
        engine.dispose()


def _ensure_role(owner_url: str, role: str, password: str | None) -> None:
    engine = create_engine(driver_url(owner_url))
    try:
        with engine.begin() as connection:
            known = connection.execute(
                text("select 1 from pg_roles where rolname = :role"), {"role": role}
            ).scalar()
            if known:
                return
            statement = sql.SQL("create role {} login nosuperuser nobypassrls").format(
                sql.Identifier(role)
            )
            if password:
                statement += sql.SQL(" password {}").format(sql.Literal(password))
            connection.exec_driver_sql(statement.as_string())
    finally:
        engine.dispose()
