"""`/api/stores/{id}/mapping`: a store's own rules for its fields."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/stores", tags=["mapping"])
