"""`/api/woocommerce-sync/sync/…`: what is pulled when somebody asks."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])
