"""`/api/keys`: who may call the API."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/keys", tags=["keys"])
