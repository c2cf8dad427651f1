"""The names of the documents that entrepot grew from; the glossary maps each of them."""

_STORES = """
StoreEntity stores adminId storeId name code provider storeUrl StoreProvider encryptedData iv tag
isActive syncStatus SyncStatus pending in_progress success failed lastSyncError syncRetryCount
lastSyncAttemptAt nextRetryAt created_at updated_at
StoreSyncLogEntity store_sync_logs action sync_products sync_categories update_inventory
update_order_status receive_order details errorMessage retryCount
WebhookEventEntity webhook_events eventType order_created order_status_changed processed received_at
processed_at storeCode newOrder orderStatus
ProductSyncSubscriber OrderStatusSyncSubscriber syncProduct() syncOrderStatus() OrderDTO
externalOrderId apiKey webhookSecret orderWebhookId statusWebhookId EasyOrder Shopify Magento
/stores /stores/:id /stores/:id/activate /stores/:id/deactivate /stores/:id/test-connection
/stores/:id/sync-logs /stores/:id/webhook-events /stores/:id/retry-failed-sync
/stores/webhooks/:storeCode
"""

_WOOCOMMERCE = """
NXT PULL PUSH SYNC WEBHOOKS direction pull push both WOOCOMMERCE_SITE_URL WOOCOMMERCE_CONSUMER_KEY
WOOCOMMERCE_CONSUMER_SECRET WOOCOMMERCE_WEBHOOK_SECRET WOOCOMMERCE_DEBUG_LOGGING
.env.woocommerce.example .env.local customers.metadata purchase_orders inventory
woocommerce_sync_log connection/test status analytics timeframe sync/full sync/customers/pull
sync/customers/push sync/products/pull sync/products/:wcProductId sync/orders/pull
sync/orders/:wcOrderId sync/inventory/push sync/inventory/push/:productId webhook/:event
webhook/test event data sync/batch conflicts history event_type completed export/customers format
wc_only force batchSize limit page after publish all customerIds productIds productId syncAll
syncModifiedSince customer.created customer.updated product.created product.updated order.created
order.updated JWT
"""

_SMARTSTORE = """
organizationId RealTimeSyncService queueEvent useRealTimeSync WebSocket source local remote manual
merge whatsAppService whatsAppIntegration phoneNumberId sendMessage updateCatalog
WHATSAPP_PHONE_NUMBER_ID WHATSAPP_ACCESS_TOKEN WHATSAPP_WEBHOOK_SECRET /api/webhooks/whatsapp
smartstore-woocommerce.php /api/webhooks/woocommerce/{organizationId} product.deleted
sriLankaCourierService addCourier trackShipment createShipment trackingNumber courierCode
/api/courier/track Aramex DHL FedEx UPS Ceylinco Skynet /integrations /sync /api/health
services.database services.redis services.websocket services.integrations timestamp version
environment uptime detailed DATABASE_URL REDIS_URL WEBSOCKET_PORT ARAMEX_API_KEY
"""

_SHARING = """
DataSyncService api:generate --type=external X-API-Key X-API-Secret product_management shared_data
platform_management usage_count last_used_at sellers seller_id business_name commission_rate
verification_status subscription_plan earnings platform_stats tracking_number carrier stock price
/api/shared/data /api/shared/realtime-updates last_update /api/shared/sellers/{id}/sync
/api/shared/products/{id}/sync /api/shared/orders/{id}/sync /api/shared/sellers/{id}/earnings/sync
/api/shared/platform/settings/sync /api/shared/webhooks/register /api/shared/webhooks/{id}/test
X-Webhook-Signature WebhookEndpoint WebhookEvent endpoint_id successful seller.updated
earnings.updated platform.settings.updated commission.updated payout.updated active inactive
suspended verified rejected
CoreTransaction1DataExporter CoreTransaction1WebhookSender core_transaction_1_export
/api/core-transaction-1/customers /api/core-transaction-1/orders /api/core-transaction-1/products
/api/core-transaction-1/reviews /api/core-transaction-1/analytics /api/core-transaction-1/events
/api/core-transaction-1/webhooks /api/core-transaction-1/stats
order.status_changed payment.status_changed product.viewed product.added_to_cart review.created
review.updated cart.abandoned marketplace.analytics last_event_id event_types date_from date_to
per_page payment_status
"""

SEED_NAMES = (
    *(_STORES + _WOOCOMMERCE + _SMARTSTORE + _SHARING).split(),
    *("Core Transaction 1", "Core Transaction 2", "Core Transaction 3"),
    *("default warehouse", "inventory movements", "idempotency keys", "invoice"),
    *("Delivery URL", "admin endpoints", "WooCommerce supplier", "paying customer status"),
    *("billing and shipping addresses", "line items", "order status", "stock status"),
    *("stock management settings", "signature verification", "IP whitelist", "force-sync"),
    *("request timestamp validation", "replay attack prevention", "retry logic", "retry delays"),
    *("exponential backoff", "maximum 3 retry attempts", "failed sync items", "rate limiting"),
    *("request throttling", "API response caching", "metadata caching", "cache invalidation"),
    *("TTL", "batching", "streaming", "progress tracking", "connection pooling", "read replicas"),
    *("multi-store support", "store-specific sync schedules", "cron jobs", "custom field mapping"),
    *("bulk data transformation", "multi-warehouse inventory", "health monitoring"),
    *("API rate limit tracking", "system resource usage"),
    *("TypeORM subscribers", "Store Provider Handler", "Max 5 retries", "Redis"),
)
