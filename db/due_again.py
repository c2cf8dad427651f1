"""How whoever has something to tell a store adds to its outbox."""

from typing import Final

DUE_AGAIN: Final = """
on conflict (tenant_id, store_id, entity, record_id) do update
  set version = pushes.version + 1, status = 'pending', attempts = 0,
      next_attempt_at = excluded.next_attempt_at, last_error = null, updated_at = now()
"""
"""The end of every `insert into pushes`: a record that is due already stays one row, at a higher
version, so that what is on its way does not settle it; and what was given up is tried anew."""
