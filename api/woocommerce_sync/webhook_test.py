"""`POST /api/woocommerce-sync/webhook/test`: what an event would do."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])
