"""`/api/woocommerce-sync/sync/…/push`: what is sent when somebody asks."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])
