"""`/api/woocommerce-sync/status`, `analytics`, `history`, `conflicts`."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])
