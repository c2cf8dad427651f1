"""Options that several commands take."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import typer

DEFAULT_DIR: Final = Path(".entrepot")

DataDir = Annotated[
    Path,
    typer.Option(
        "--data-dir",
        help="Where everything is kept: database, workflows, keys, logs.",
        envvar="ENTREPOT_DATA_DIR",
        show_envvar=False,
        file_okay=False,
        metavar="DIR",
    ),
]
HubDir = Annotated[
    Path | None,
    typer.Option(
        "--data-dir",
        help="The directory of a hub that `entrepot up` runs, in place of the settings.",
        file_okay=False,
        metavar="DIR",
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        "--port",
        help="Where the API listens. Default: where it was last, else 4000, else a free port.",
        min=0,
        max=65_535,
        show_default=False,
        metavar="N",
    ),
]
Products = Annotated[
    int | None,
    typer.Option(min=0, max=1_000_000, help="Products of the shop.", metavar="N"),
]
Orders = Annotated[
    int | None, typer.Option(min=0, max=1_000_000, help="Orders of the shop.", metavar="N")
]
Seed = Annotated[
    int | None,
    typer.Option(min=0, help="Equal seeds make equal shops.", metavar="N"),
]
Tenant = Annotated[
    str, typer.Option(help="The tenant: its name, its id or its organization id.", metavar="TENANT")
]
OnlyTenant = Annotated[str | None, typer.Option(help="Only this tenant's.", metavar="TENANT")]
OneStore = Annotated[
    str | None,
    typer.Argument(help="A store's id or code; not needed if there is one.", metavar="[STORE]"),
]
AsJson = Annotated[bool, typer.Option("--json", metavar="", help="JSON on stdout, for programs.")]
ApiUrl = Annotated[
    str | None,
    typer.Option("--api-url", help="Address of the API, or ENTREPOT_API_URL.", metavar="URL"),
]
ApiKey = Annotated[
    str | None, typer.Option("--api-key", help="The key, or ENTREPOT_API_KEY.", metavar="KEY")
]
ApiSecret = Annotated[
    str | None,
    typer.Option("--api-secret", help="Its secret, or ENTREPOT_API_SECRET.", metavar="SECRET"),
]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say of the API to talk to; None where they say nothing."""

    url: str | None = None
    key: str | None = None
    secret: str | None = field(default=None, repr=False)
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class AskedUser:
    """A person to add, as the options describe them."""

    tenant: str
    email: str
    role: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AskedPassword:
    """Where a new password comes from; from a prompt if neither is said."""

    from_stdin: bool = False
    generate: bool = False
