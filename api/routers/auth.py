"""`/api/auth`: logging in, renewing, logging out."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/auth", tags=["auth"])
