"""`GET /api/woocommerce-sync/export/{entity}`: records as a stream."""

from fastapi import APIRouter

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])
