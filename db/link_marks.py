"""What a batch marks on links whose records it does not write: gone, or confirmed."""

TOMBSTONE = """
with gone as (
  update links l set deleted_at = now(), updated_at = now()
  where l.tenant_id = %(tenant)s and l.store_id = %(store)s and l.entity = %(entity)s
    and l.external_id = any(%(gone)s) and l.deleted_at is null
  returning l.external_id, l.record_id)
insert into touched (entity, key, record_id, action)
select %(entity)s, external_id, record_id, 'deleted' from gone
"""

# The content is what it was: no change to tell anybody of, but it was heard.
CONFIRM = """
update links l set version = x.version, confirmed_at = now()
from unnest(%(confirmed)s::text[], %(versions)s::timestamptz[]) as x(key, version)
cross join lateral (
  select k.ctid as place from links k
  where k.tenant_id = %(tenant)s and k.store_id = %(store)s and k.entity = %(entity)s
    and k.external_id = x.key limit 1) held
where l.ctid = held.place
"""
