"""`GET /api/audit`: who did what."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/audit", tags=["audit"])
