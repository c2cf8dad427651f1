"""What a worker runs. Explicit, so that nothing is registered by being imported."""

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows.alert import AlertWorkflow
from workflows.check_store import CheckStoreWorkflow
from workflows.demand import DemandWorkflow
from workflows.import_store import ImportStoreWorkflow
from workflows.inbox import InboxWorkflow
from workflows.preview_mapping import PreviewMappingWorkflow
from workflows.preview_push import PreviewPushWorkflow
from workflows.pull import PullWorkflow
from workflows.push import PushWorkflow
from workflows.reconcile import ReconcileWorkflow
from workflows.subscriptions import SubscriptionsWorkflow, UnsubscribeWorkflow
from workflows.sync_store import SyncStoreWorkflow

WORKFLOWS = (
    CheckStoreWorkflow,
    PreviewPushWorkflow,
    PreviewMappingWorkflow,
    ImportStoreWorkflow,
    PullWorkflow,
    SyncStoreWorkflow,
    ReconcileWorkflow,
    DemandWorkflow,
    SubscriptionsWorkflow,
    UnsubscribeWorkflow,
    InboxWorkflow,
    PushWorkflow,
    AlertWorkflow,
)

# Modules that workflows import for names and types only. Loading them anew in the sandbox of every
# workflow would cost its start half a second, and none of them runs inside one.
PASSED_THROUGH = (
    "activities",
    "db",
    "domain",
    "httpcore",
    "httpx",
    "jmespath",
    "orjson",
    "providers",
    "psycopg",
    "pydantic",
    "pydantic_core",
    "sqlalchemy",
    "structlog",
    "cryptography",
    "workflows.ids",
    "workflows.models",
    "workflows.policies",
    "workflows.search_attributes",
    "workflows.task_queues",
)


def sandboxed_runner() -> SandboxedWorkflowRunner:
    """The sandbox that keeps workflows deterministic."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )
