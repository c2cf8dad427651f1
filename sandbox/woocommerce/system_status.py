"""`GET /system_status` (member names as captured)."""

from typing import TYPE_CHECKING, Any

from sandbox.woocommerce import money
from sandbox.woocommerce.php import Document

if TYPE_CHECKING:
    from sandbox.woocommerce.shop import Shop

_WOOCOMMERCE_TABLES = (
    *("sessions", "api_keys", "attribute_taxonomies", "downloadable_product_permissions"),
    *("order_items", "order_itemmeta", "tax_rates", "tax_rate_locations", "shipping_zones"),
    *("shipping_zone_locations", "shipping_zone_methods", "payment_tokens", "payment_tokenmeta"),
    "log",
)
_OTHER_TABLES = (
    *("actionscheduler_actions", "actionscheduler_claims", "actionscheduler_groups"),
    *("actionscheduler_logs", "commentmeta", "comments", "links", "options", "postmeta", "posts"),
    *("termmeta", "terms", "term_relationships", "term_taxonomy", "usermeta", "users"),
    *("wc_admin_notes", "wc_admin_note_actions", "wc_category_lookup", "wc_customer_lookup"),
    *("wc_download_log", "wc_email_unsubscribes", "wc_orders", "wc_orders_meta"),
    *("wc_order_addresses", "wc_order_coupon_lookup", "wc_order_operational_data"),
    *("wc_order_product_lookup", "wc_order_stats", "wc_order_tax_lookup"),
    *("wc_product_attributes_lookup", "wc_product_download_directories", "wc_product_meta_lookup"),
    *("wc_rate_limits", "wc_reserved_stock", "wc_tax_rate_classes", "wc_webhooks"),
)
_PAGES = (
    ("Shop base", "", ""),
    ("Cart", "[woocommerce_cart]", "woocommerce/cart"),
    ("Checkout", "[woocommerce_checkout]", "woocommerce/checkout"),
    ("My account", "[woocommerce_my_account]", ""),
    ("Terms and conditions", "", ""),
)
_SIZE = {"data": "0.02", "index": "0.03", "engine": "InnoDB"}
_MEGABYTES_64 = 67_108_864


def system_status(shop: "Shop") -> Document:
    """The whole document."""
    return {
        "environment": _environment(shop),
        "database": _database(),
        "active_plugins": [_plugin("woocommerce/woocommerce.php", "WooCommerce", "11.0.1")],
        "inactive_plugins": [_plugin("hello.php", "Hello Dolly", "1.7.2")],
        "dropins_mu_plugins": {
            "dropins": [],
            "mu_plugins": [
                {
                    "plugin": "000-host.php",
                    "name": "000-host.php",
                    "version": "",
                    "url": "",
                    "author_name": "",
                    "author_url": "",
                }
            ],
        },
        "theme": _theme(),
        "settings": _settings(shop),
        "security": {"secure_connection": False, "hide_errors": True},
        "pages": [_page(n, *page) for n, page in enumerate(_PAGES)],
        "post_type_counts": [
            {"type": "product", "count": str(len(shop.tables["products"]))},
            {"type": "product_variation", "count": str(len(shop.tables["variations"]))},
            {"type": "shop_order_placehold", "count": str(len(shop.tables["orders"]))},
        ],
        "logging": {
            "logging_enabled": True,
            "default_handler": (
                "Automattic\\WooCommerce\\Internal\\Admin\\Logging\\LogHandlerFileV2"
            ),
            "retention_period_days": 30,
            "level_threshold": "",
            "log_directory_size": "40 KB",
        },
    }


def _environment(shop: "Shop") -> Document:
    return {
        "home_url": shop.home_url,
        "site_url": shop.home_url,
        "store_id": f"26cc2521-8503-4b96-8e9d-{shop.seed.seed:012x}",
        "version": "11.0.1",
        "log_directory": "/srv/shop",
        "log_directory_writable": True,
        "wp_version": "7.0.4",
        "wp_multisite": False,
        "wp_memory_limit": 536_870_912,
        "wp_debug_mode": False,
        "wp_cron": True,
        "wp_environment_type": "production",
        "language": "en_US",
        "external_object_cache": None,
        "server_info": "nginx/1.22.1",
        "server_architecture": "Linux x86_64",
        "php_version": "8.2.35",
        "php_post_max_size": _MEGABYTES_64,
        "php_max_execution_time": 120,
        "php_max_input_vars": 1000,
        "curl_version": "7.88.1, OpenSSL/3.0.19",
        "suhosin_installed": False,
        "max_upload_size": _MEGABYTES_64,
        "mysql_version": "10.11.19",
        "mysql_version_string": "10.11.19-MariaDB-0+deb12u1",
        "default_timezone": "UTC",
        "fsockopen_or_curl_enabled": True,
        "soapclient_enabled": False,
        "domdocument_enabled": True,
        "gzip_enabled": True,
        "mbstring_enabled": True,
        "remote_post_successful": False,
        "remote_post_response": False,
        "remote_get_successful": False,
        "remote_get_response": False,
    }


def _database() -> Document:
    return {
        "wc_database_version": "11.0.1",
        "database_prefix": "wp_",
        "maxmind_geoip_database": "",
        "database_tables": {
            "woocommerce": {f"wp_woocommerce_{name}": _SIZE for name in _WOOCOMMERCE_TABLES},
            "other": {f"wp_{name}": _SIZE for name in _OTHER_TABLES},
        },
        "database_size": {"data": 3.69, "index": 3.69},
    }


def _settings(shop: "Shop") -> Document:
    visibility = ("exclude-from-catalog", "exclude-from-search", "featured", "outofstock")
    rated = [f"rated-{n}" for n in range(1, 6)]
    return {
        "api_enabled": False,
        "force_ssl": False,
        "currency": shop.seed.currency,
        "currency_symbol": money.entity(shop.seed.currency),
        "currency_position": "left",
        "thousand_separator": ",",
        "decimal_separator": ".",
        "number_of_decimals": money.decimals(shop.seed.currency),
        "geolocation_enabled": False,
        "taxonomies": {n: n for n in ("external", "grouped", "simple", "variable")},
        "product_visibility_terms": {n: n for n in (*visibility, *rated)},
        "woocommerce_com_connected": "no",
        "enforce_approved_download_dirs": True,
        "order_datastore": (
            "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\OrdersTableDataStore"
        ),
        "HPOS_enabled": True,
        "HPOS_sync_enabled": False,
        "enabled_features": ["analytics", "order_attribution", "custom_order_tables"],
    }


def _theme() -> Document:
    theme: dict[str, Any] = {
        "name": "Twenty Twenty-Five",
        "version": "1.5",
        "version_latest": 0,
        "author_url": "https://wordpress.org",
        "is_child_theme": False,
        "is_block_theme": True,
        "has_woocommerce_support": False,
        "has_woocommerce_file": False,
        "has_outdated_templates": False,
        "overrides": [],
    }
    parents = ("parent_name", "parent_version", "parent_version_latest", "parent_author_url")
    return theme | dict.fromkeys(parents, "")


def _plugin(path: str, name: str, version: str) -> Document:
    return {
        "plugin": path,
        "name": name,
        "version": version,
        "version_latest": version,
        "url": "https://woocommerce.com/",
        "author_name": "Automattic",
        "author_url": "https://woocommerce.com",
        "network_activated": False,
    }


def _page(n: int, name: str, shortcode: str, block: str) -> Document:
    known = n < len(_PAGES) - 1
    return {
        "page_name": name,
        "page_id": str(5 + n) if known else "",
        "page_set": known,
        "page_exists": known,
        "page_visible": known,
        "shortcode": shortcode,
        "block": block,
        "shortcode_required": bool(shortcode),
        "shortcode_present": name == "My account",
        "block_present": bool(block),
        "block_required": bool(block),
    }
