"""`GET /api/syncs/{workflowId}/diff`: what a dry run found."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/syncs", tags=["syncs"])
