"""`GET /api/woocommerce-sync/connection/test`: whether the default store answers."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])
